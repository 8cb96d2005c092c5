"""Where untrusted code runs, and where its verdict is decided: two sides that share nothing but a channel."""
