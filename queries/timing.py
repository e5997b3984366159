"""Where the time of one question went, and what it read: phases and counters."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from typing import Any

__all__ = ["COUNTERS", "PHASES", "QueryTimings", "watched"]

PHASES = ("plan", "refresh", "read", "decompress", "decode", "engine", "print")
"""Phases in the order of a question's life; ``engine`` is what DuckDB or Polars used besides."""

_WATCHERS: list[list[QueryTimings]] = []


@dataclass(eq=False, repr=False)  # what is not made need not be loaded by each question
class QueryTimings:
    """Phase times in seconds and counters of one question, safe to fill from several threads.

    Counters: chunks and rows that the mirrors which served hold, and chunks that were read to bring
    these up to date first; of a question that reads chunks itself, how many there are, were ruled
    out by the catalog, and read; of one for few rows also the same of blocks, and files, bytes,
    columns and rows; rows answered; values that the flag policy removed from rows that were read.
    """

    plan_s: float = 0.0
    refresh_s: float = 0.0
    read_s: float = 0.0
    decompress_s: float = 0.0
    decode_s: float = 0.0
    engine_s: float = 0.0
    print_s: float = 0.0
    mirror_chunks: int = 0
    mirror_rows: int = 0
    chunks_refreshed: int = 0
    chunks_considered: int = 0
    chunks_skipped: int = 0
    chunks_read: int = 0
    blocks_considered: int = 0
    blocks_skipped: int = 0
    blocks_read: int = 0
    columns_read: int = 0
    files_opened: int = 0
    bytes_read: int = 0
    rows_decoded: int = 0
    rows: int = 0
    values_removed: int = 0
    _started_s: float = field(default_factory=time.perf_counter)
    _total_s: float | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        for heard in _WATCHERS:
            heard.append(self)

    def __repr__(self) -> str:
        return f"QueryTimings({self.as_dict()})"

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Add the time inside the block to a phase of :data:`PHASES`."""
        begin = time.perf_counter()
        try:
            yield
        finally:
            self.add_s(name, time.perf_counter() - begin)

    @contextmanager
    def engine(self) -> Iterator[None]:
        """Add the time inside the block to ``engine``, less what our own phases used in it."""
        begin = time.perf_counter()
        ours = self._ours_s()
        try:
            yield
        finally:
            spent = time.perf_counter() - begin - (self._ours_s() - ours)
            self.add_s("engine", max(spent, 0.0))

    def _ours_s(self) -> float:
        return self.plan_s + self.refresh_s + self.read_s + self.decompress_s + self.decode_s

    def add_s(self, name: str, seconds: float) -> None:
        """Add seconds to one phase."""
        with self._lock:
            setattr(self, name + "_s", getattr(self, name + "_s") + seconds)

    def count(self, **numbers: int) -> None:
        """Add to counters by name."""
        with self._lock:
            for name, number in numbers.items():
                setattr(self, name, getattr(self, name) + number)

    def served_by(self, *, chunks: int, rows: int) -> None:
        """Set what the mirrors hold that serve; not added up, as a question may be asked twice."""
        with self._lock:
            self.mirror_chunks, self.mirror_rows = chunks, rows

    def restart(self) -> None:
        """Begin the total anew: what went before was loading code, not answering."""
        self._started_s = time.perf_counter()

    def stop(self) -> QueryTimings:
        """Fix the total at this moment; the first call counts."""
        if self._total_s is None:
            self._total_s = time.perf_counter() - self._started_s
        return self

    @property
    def total_s(self) -> float:
        """Wall time from the start of the question to :meth:`stop`, or to now."""
        if self._total_s is not None:
            return self._total_s
        return time.perf_counter() - self._started_s

    def as_dict(self) -> dict[str, Any]:
        """Return phases in milliseconds, counters, and the total, ready for JSON."""
        phases = {f"{name}_ms": round(getattr(self, name + "_s") * 1e3, 3) for name in PHASES}
        counters = {name: getattr(self, name) for name in COUNTERS}
        return phases | {"total_ms": round(self.total_s * 1e3, 3)} | counters

    def as_text(self) -> str:
        """Return the same for people, one fact a line."""
        lines = [f"{name:<12}{getattr(self, name + '_s') * 1e3:>10.2f} ms" for name in PHASES]
        lines.append(f"{'total':<12}{self.total_s * 1e3:>10.2f} ms")
        lines.append(self.sources())
        lines.append(
            f"blocks      {self.blocks_considered:,} considered, {self.blocks_skipped:,} skipped, "
            f"{self.blocks_read:,} read"
        )
        lines.append(
            f"read        {self.files_opened:,} files, {self.bytes_read:,} bytes, "
            f"{self.columns_read:,} columns, {self.rows_decoded:,} rows"
        )
        lines.append(f"rows        {self.rows:,} answered")
        return "\n".join(lines)

    def sources(self) -> str:
        """Return for people what served: the mirror, what was refreshed of it, and chunks."""
        return (
            f"mirror      {self.mirror_chunks:,} chunks, {self.mirror_rows:,} rows held, "
            f"{self.chunks_refreshed:,} chunks refreshed\n"
            f"chunks      {self.chunks_considered:,} considered, {self.chunks_skipped:,} skipped, "
            f"{self.chunks_read:,} read"
        )


COUNTERS = tuple(
    f.name for f in fields(QueryTimings) if not f.name.startswith("_") and not f.name.endswith("_s")
)
"""Names of the counters, in the order of :meth:`QueryTimings.as_dict`."""


@contextmanager
def watched() -> Iterator[list[QueryTimings]]:
    """Collect the timings of every question that is asked inside the block."""
    heard: list[QueryTimings] = []
    _WATCHERS.append(heard)
    try:
        yield heard
    finally:
        _WATCHERS.remove(heard)
