"""What the catalog says of one chunk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.items import Scope

if TYPE_CHECKING:
    from pipeline.chunks.statistics import BlockStatistics

__all__ = ["ChunkRow"]


@dataclass(frozen=True, slots=True)
class ChunkRow:
    """What the catalog says of one chunk.

    Times are seconds since 1970-01-01 in PST; ``items`` are item codes in column order;
    ``provisional_from_s`` is the first time that may still change (None = all final);
    ``statistics`` is read by `BlockStatistics.of_bytes`.
    """

    path: str
    scope: Scope
    station: int | None
    target: str | None
    year: int
    format: str
    rows: int
    first_s: int
    last_s: int
    file_bytes: int
    checksum: str
    items: tuple[str, ...]
    provisional_from_s: int | None
    fetched_at: str
    source: str
    statistics: bytes

    @property
    def state(self) -> str:
        """``final``, or ``provisional`` where some rows may still change."""
        return "final" if self.provisional_from_s is None else "provisional"

    def block_statistics(self) -> BlockStatistics:
        """Return the chunk's statistics per block and column."""
        from pipeline.chunks.statistics import BlockStatistics

        return BlockStatistics.of_bytes(self.statistics)
