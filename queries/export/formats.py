"""The formats that rows are written in, by name: the one list, which needs no library to read."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["FORMATS", "OutputFormat"]


class OutputFormat(NamedTuple):
    """One format; its writer stands under the same name in ``cimis.queries.export.forms.WRITERS``.

    Parameters
    ----------
    suffixes : tuple of str
        File suffixes that mean it, the usual one first.
    binary : bool
        Whether it is nothing for a terminal.
    people : bool
        Whether it is made for people: its head says units, whatever was asked.
    """

    suffixes: tuple[str, ...]
    binary: bool = False
    people: bool = False


FORMATS: dict[str, OutputFormat] = {
    "csv": OutputFormat((".csv",)),
    "tsv": OutputFormat((".tsv",)),
    "json": OutputFormat((".json",)),
    "ndjson": OutputFormat((".ndjson", ".jsonl")),
    "parquet": OutputFormat((".parquet", ".pq"), binary=True),
    "arrow": OutputFormat((".arrow", ".feather", ".ipc"), binary=True),
    "xlsx": OutputFormat((".xlsx",), binary=True, people=True),
    "md": OutputFormat((".md", ".markdown"), people=True),
    "html": OutputFormat((".html", ".htm"), people=True),
}
"""Name → format, in the order in which help lists them; the terminal's table is not one."""
