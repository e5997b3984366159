"""Whether stored values are sound, and what can stand for those that lack."""
