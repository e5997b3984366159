"""From the API to chunk files: plan, fetch, decode, chunk, catalog."""
