"""From chunk files to answers: prune, read, cache, and hand to DuckDB, Polars or a file."""
