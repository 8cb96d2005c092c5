"""One module a file format: each turns rows of a dataset into canonical tasks."""
