"""Generated weather."""
