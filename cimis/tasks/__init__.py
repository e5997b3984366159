"""What an open data directory is told to do."""
