"""Which rows are asked for: of whom, of which days, and the SQL that says so."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from cimis.pipeline.field.items import Item, scope_items
from cimis.pipeline.field.time import PER_DAY
from cimis.queries.engines.inventory import Named
from cimis.queries.mirror.layout import scope_of_table
from cimis.queries.quality import FlagPolicy

__all__ = ["Wish", "among"]


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for."""

    table: str
    stations: tuple[int, ...] | None
    targets: tuple[str, ...] | None
    start: dt.date | None
    end: dt.date | None
    items: tuple[Item, ...] | None
    policy: FlagPolicy
    limit: int | None

    def named(self) -> Named:
        """Return the chunks that it names."""
        items = self.items or scope_items(scope_of_table(self.table))
        return Named(
            None if self.stations is None else frozenset(self.stations),
            None if self.targets is None else frozenset(self.targets),
            None if self.start is None else self.start.year,
            None if self.end is None else self.end.year,
            frozenset(item.code for item in items),
        )

    @property
    def _whose(self) -> Sequence[int] | Sequence[str] | None:
        return self.stations if self.targets is None else self.targets

    @property
    def alone(self) -> bool:
        """Whether one station or target is named."""
        return self._whose is not None and len(self._whose) == 1

    def most_rows(self) -> int | None:
        """Return how many rows there can be at most; None where that depends on what is stored."""
        who = self._whose
        if who is None or self.start is None or self.end is None:
            return None
        days = max((self.end - self.start).days + 1, 0)
        return len(who) * days * PER_DAY[scope_of_table(self.table)]

    def where(self) -> str:
        """Return the conditions on whose rows and which days, as SQL."""
        parts = []
        for name, wanted in (("station", self.stations), ("target", self.targets)):
            if wanted is not None:
                parts.append(among(name, wanted))
        if self.start is not None:
            parts.append(f"date >= DATE '{self.start}'")
        if self.end is not None:
            parts.append(f"date <= DATE '{self.end}'")
        return " AND ".join(parts) or "true"


def among(name: str, wanted: Sequence[object]) -> str:
    """Return the condition that a column is one of some values."""
    texts = [
        str(value) if isinstance(value, int) else "'" + str(value).replace("'", "''") + "'"
        for value in sorted(set(wanted), key=str)
    ]
    if len(texts) == 1:
        return f"{name} = {texts[0]}"
    return f"{name} IN ({', '.join(texts)})" if texts else "false"
