"""Answers, places and progress as a terminal shows them."""
