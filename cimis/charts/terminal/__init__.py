"""Charts drawn in a terminal, with characters."""
