"""Few rows straight from a chunk, in plain Python."""
