"""Answers of the field as pure functions on arrays: they know no files and change no data."""
