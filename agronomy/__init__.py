"""Answers of the field, as pure functions on arrays: degree days, chill, crop water use."""
