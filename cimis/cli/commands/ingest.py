"""``cimis ingest``: the older program's name for fetching many stations."""

from __future__ import annotations

from cimis.cli.fetching import fetching

__all__ = ["command"]

command = fetching(
    "ingest",
    """Fetch stations and store them: the same as fetch-streaming, under its older name.""",
    examples=["cimis ingest --stations 2,5-7 --year 2024 --concurrency 8"],
)
