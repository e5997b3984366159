"""The engines that answer: DuckDB over the mirror, and what it gives to Polars and Arrow."""
