"""What made an artifact: code, environment, files."""
