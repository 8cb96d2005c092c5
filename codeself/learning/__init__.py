"""Practice with feedback: advantages, losses, and one trainer for every arm."""
