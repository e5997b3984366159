"""What an open data directory answers."""
