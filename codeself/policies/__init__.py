"""What writes code: prompts, backends, weights, and the parsing of what was written."""
