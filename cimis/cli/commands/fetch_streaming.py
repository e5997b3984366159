"""``cimis fetch-streaming``: fetch stations from the service and store them."""

from __future__ import annotations

from cimis.cli.fetching import fetching

__all__ = ["command"]

command = fetching(
    "fetch-streaming",
    """Fetch stations from the service and store them, a chunk per station and year.

    Days that are stored and final are not asked for again, so the same command goes on where it
    stopped. A station that fails fails alone: the others are stored, and the exit code is 4.
    """,
    examples=[
        "cimis fetch-streaming --stations 2,5-7 --year 2024",
        "cimis fetch-streaming --stations all --year 2020-2024 --concurrency 8",
        "cimis fetch-streaming --stations 80 --start 2024-06-01 --end 2024-06-30 --scope hourly",
        "cimis fetch-streaming --stations 2 --year 2024 --items asce_eto,precip --dry-run",
    ],
)
