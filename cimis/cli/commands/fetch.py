"""``cimis fetch``: the plain path, kept as a way back and as a measure."""

from __future__ import annotations

from cimis.cli.fetching import fetching

__all__ = ["command"]

command = fetching(
    "fetch",
    """Fetch the plain way: one station a request, each answer whole before it is parsed.

    Slower and larger in memory than fetch-streaming, with the same rows in the same chunks to the
    byte: a way back should the streaming path fail, and a measure to hold it against.
    """,
    plain=True,
    examples=["cimis fetch --stations 2,5 --year 2024 --allocs"],
)
