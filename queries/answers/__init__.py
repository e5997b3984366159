"""Questions worded as SQL or reckoned from rows."""
