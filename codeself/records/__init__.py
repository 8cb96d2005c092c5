"""Typed records that pass between stages, and the reading and writing of their files."""
