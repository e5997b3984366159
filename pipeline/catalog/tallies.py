"""Counters of a data directory that outlive the process: what all runs did, for monitoring.

They lie in ``metrics.sqlite3``, apart from the catalog, so that counting never waits for it.
Losing the file loses the counts and nothing else; a monitor takes that for a restart.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path

__all__ = ["BUCKETS_S", "TALLIES_FILE", "Series", "Tallies"]

TALLIES_FILE = "metrics.sqlite3"
BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)
"""Upper edges of the buckets of durations, in seconds; one more holds the rest."""

_SCHEMA = "create table if not exists tally (series text primary key, value real not null)"

Series = tuple[str, tuple[tuple[str, str], ...]]
"""A metric's name, and its labels with their values."""


class Tallies:
    """Counts gathered in memory, and added to those on disk by `flush`.

    Several processes may count at once. A disk that refuses costs the counts, never the run.

    Parameters
    ----------
    root : Path
        The data directory.
    """

    def __init__(self, root: Path) -> None:
        self.path = root.absolute() / TALLIES_FILE
        self._added: dict[Series, float] = {}
        self._set: dict[Series, float] = {}

    def add(self, name: str, amount: float = 1.0, **labels: str) -> None:
        """Add to a counter."""
        series = _series(name, labels)
        self._added[series] = self._added.get(series, 0.0) + amount

    def observe_s(self, name: str, seconds: float, **labels: str) -> None:
        """Add a duration to a histogram."""
        edge = next((f"{edge:g}" for edge in BUCKETS_S if seconds <= edge), "+Inf")
        self.add(f"{name}_bucket", 1.0, **labels, le=edge)
        self.add(f"{name}_sum", seconds, **labels)

    def set(self, name: str, value: float, **labels: str) -> None:
        """Set a value that may go up and down."""
        self._set[_series(name, labels)] = value

    def flush(self) -> bool:
        """Bring what was gathered to disk; False, with all of it kept, where that is refused."""
        if not self._added and not self._set:
            return True
        try:
            with sqlite3.connect(self.path, timeout=5) as connection:
                connection.execute(_SCHEMA)
                connection.executemany(
                    "insert into tally values (?, ?) "
                    "on conflict (series) do update set value = value + excluded.value",
                    _rows(self._added),
                )
                connection.executemany(
                    "insert or replace into tally values (?, ?)", _rows(self._set)
                )
            connection.close()
        except (sqlite3.Error, OSError):
            return False
        self._added.clear()
        self._set.clear()
        return True

    def read(self) -> dict[Series, float]:
        """Return what all processes counted and brought to disk; nothing where there is no file."""
        if not self.path.is_file():
            return {}
        try:
            connection = sqlite3.connect(f"{self.path.as_uri()}?mode=ro", uri=True, timeout=5)
            try:
                rows = connection.execute("select series, value from tally").fetchall()
            finally:
                connection.close()
        except sqlite3.Error:
            return {}
        return {_parsed(text): float(value) for text, value in rows}


def _series(name: str, labels: Mapping[str, str]) -> Series:
    return name, tuple(sorted(labels.items()))


def _rows(values: Mapping[Series, float]) -> Iterable[tuple[str, float]]:
    return [(json.dumps([name, dict(labels)]), value) for (name, labels), value in values.items()]


def _parsed(text: str) -> Series:
    name, labels = json.loads(text)
    return _series(name, labels)
