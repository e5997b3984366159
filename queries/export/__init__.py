"""Rows of an answer to files and streams."""
