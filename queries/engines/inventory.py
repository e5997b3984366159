"""Which chunks of a scope there are, kept as long as the catalog does not change them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property

from cimis.pipeline.catalog.database import Catalog
from cimis.pipeline.field.items import Scope
from cimis.pipeline.field.site import SiteKind
from cimis.queries.mirror.layout import Listed, kind_of_table

__all__ = ["Inventory", "Named"]


@dataclass(frozen=True, slots=True)
class Named:
    """The chunks that a question names: of some stations or targets, and of some years.

    ``items`` are the codes of what it names of them. None means all.
    """

    stations: frozenset[int] | None = None
    targets: frozenset[str] | None = None
    first_year: int | None = None
    last_year: int | None = None
    items: frozenset[str] | None = None

    def has_year(self, year: int) -> bool:
        """Tell whether a year is one of them."""
        early = self.first_year is not None and year < self.first_year
        return not early and (self.last_year is None or year <= self.last_year)

    def holds(self, chunk: Listed) -> bool:
        """Tell whether a chunk is one of them."""
        if not self.has_year(chunk.year):
            return False
        if chunk.station is not None:
            return self.stations is None or chunk.station in self.stations
        return self.targets is None or chunk.target in self.targets


class Inventory:
    """The chunks of a scope at one generation of the catalog."""

    def __init__(self, catalog: Catalog, scope: Scope) -> None:
        self.generation, rows = catalog.listed(scope)
        self.chunks = [Listed(*row) for row in rows]

    @cached_property
    def rows(self) -> int:
        """The number of rows of all chunks."""
        return sum(chunk.rows for chunk in self.chunks)

    @cached_property
    def _years(self) -> dict[int | str, list[tuple[int, int]]]:
        """Year and rows of each chunk, by station or target, in order."""
        found = defaultdict[int | str, list[tuple[int, int]]](list)
        for chunk in self.chunks:
            who = chunk.target if chunk.station is None else chunk.station
            found[who or ""].append((chunk.year, chunk.rows))
        return dict(found)

    @cached_property
    def _order(self) -> dict[type, list[int | str]]:
        """Stations, and targets, in order."""
        stations = sorted(who for who in self._years if isinstance(who, int))
        targets = sorted(who for who in self._years if isinstance(who, str))
        return {int: [*stations], str: [*targets]}

    def counts(self, table: str, named: Named) -> list[tuple[int | str, int]]:
        """Return how many rows of each station or target a question may have, in order."""
        wanted: frozenset[int] | frozenset[str] | None
        spatial = kind_of_table(table) is SiteKind.TARGET
        wanted = named.targets if spatial else named.stations
        kind = str if spatial else int
        found: list[tuple[int | str, int]] = []
        for who in self._order[kind]:
            if wanted is None or who in wanted:
                rows = sum(rows for year, rows in self._years[who] if named.has_year(year))
                if rows:
                    found.append((who, rows))
        return found

    def named(self, named: Named | None) -> list[Listed]:
        """Return the chunks that a question names."""
        return self.chunks if named is None else [c for c in self.chunks if named.holds(c)]
