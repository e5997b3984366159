"""What is stored, in one SQLite file beside the chunks."""
