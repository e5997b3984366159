"""How worn a mirror is: rows that lie out of order, and room that replaced ones have left."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cimis.queries.mirror.fill import is_late, open_year
from cimis.queries.mirror.layout import Listed
from cimis.queries.mirror.shape import number

if TYPE_CHECKING:
    import duckdb

__all__ = ["Wear", "scattered", "worn_by"]

_OUT_OF_ORDER = 0.1
"""Share of rows that lie out of order at which a mirror is written anew, sorted."""

_GROWN = 1.5
_ROOM_BYTES = 16_000_000
"""Times its size when it was last made or written anew, and more, at which it is written anew."""


@dataclass(frozen=True, slots=True)
class Wear:
    """How many rows of a mirror lie out of order, and its size when none did (0: not known yet)."""

    rows: int = 0
    fresh_bytes: int = 0

    def enough(self, base: Path, whole: int) -> bool:
        """Tell whether a mirror of so many rows is to be written anew, rather than worn more."""
        most_bytes = _GROWN * self.fresh_bytes + _ROOM_BYTES
        return self.rows > _OUT_OF_ORDER * whole or base.stat().st_size > most_bytes


def worn_by(
    connection: duckdb.DuckDBPyConnection,
    base: Path,
    listed: list[Listed],
    stale: list[Listed],
) -> Wear:
    """Return a mirror's wear once stale chunks' rows are replaced, as those of new ones behind it.

    The open year lies at the end, and is as good there as before; once another year follows, it
    lies between.
    """
    newest, before = open_year(listed), number(connection, "open_year")
    rows = number(connection, "replaced")
    rows += _early_rows(listed, stale)
    if before < newest:
        rows += sum(chunk.rows for chunk in listed if before <= chunk.year < newest)
    fresh = number(connection, "fresh_bytes") or base.stat().st_size
    return Wear(rows, fresh)


def scattered(listed: list[Listed], stale: list[Listed], whole: int) -> bool:
    """Tell whether replacing chunks would by itself put too many rows out of order."""
    return _early_rows(listed, stale) > _OUT_OF_ORDER * whole


def _early_rows(listed: list[Listed], chunks: list[Listed]) -> int:
    newest = open_year(listed)
    return sum(chunk.rows for chunk in chunks if not is_late(chunk, newest))
