"""The report of a station: what each of its sections shows."""
