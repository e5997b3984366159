"""Counts the rows of an answer per station while they go by, and says what it is short of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from cimis.pipeline.catalog.database import Catalog
from cimis.pipeline.field.serving import served
from cimis.pipeline.field.site import SiteKind
from cimis.pipeline.field.time import day_of_second, network_day
from cimis.pipeline.lacks import Asked, Held, Lacks, Site, lacks_of

if TYPE_CHECKING:
    import pyarrow as pa

    Rows = TypeVar("Rows", pa.RecordBatch, pa.Table)

__all__ = ["Tally"]


class Tally:
    """What an answer holds of what was asked; of whatever way in which the rows are read.

    Parameters
    ----------
    root : Path
        The data directory, whose catalog says what is stored.
    asked : Asked
    limit : int, optional
        Rows beyond which the answer is cut on purpose.
    count : callable, optional
        Gives the rows per station or target, where the answer's own rows do not tell.
    """

    def __init__(
        self,
        root: Path,
        asked: Asked,
        *,
        limit: int | None = None,
        count: Callable[[], Mapping[Site, int]] | None = None,
    ) -> None:
        self.asked = asked
        self._root = root
        self._limit = limit
        self._count = count
        self._counts: Mapping[Site, int] | None = None

    @property
    def counted(self) -> bool:
        """Whether all rows of the answer have gone by."""
        return self._counts is not None or self._count is not None

    def of(self, sites: Iterable[Site]) -> None:
        """Take the station of each row, where the rows are not in batches."""
        self._counts = Counter(sites)

    def of_counts(self, counts: Mapping[Site, int]) -> None:
        """Take how many rows of each station there are, without the rows."""
        self._counts = counts

    def of_table(self, table: pa.Table) -> None:
        """Take all rows at once."""
        for _ in self.over([table]):
            pass

    def over(self, batches: Iterable[Rows]) -> Iterator[Rows]:
        """Yield batches, counting their rows; only once all are taken do they count."""
        counts: Counter[Site] = Counter()
        who = self.asked.kind.value
        for batch in batches:
            if who in batch.schema.names:
                for one in batch[who].value_counts().to_pylist():
                    counts[one["values"]] += one["counts"]
            yield batch
        self._counts = counts

    def lacks(self) -> Lacks:
        """Return what the answer is short of; of one not read to its end by the catalog alone."""
        counts = self._counts if self._count is None else self._count()
        cut = self._limit is not None and counts is not None
        if cut and sum((counts or {}).values()) >= (self._limit or 0):
            counts = None
        asked = self.asked
        plain = asked.sites is not None and not asked.items and counts is not None
        days = (asked.first is None) == (asked.last is None)
        held, resting = ([], frozenset[Site]()) if plain and days else self._catalog()
        return lacks_of(asked, counts, held, today=network_day(), resting=resting)

    def _catalog(self) -> tuple[list[Held], frozenset[Site]]:
        """Return the chunks of the scope, and the stations that did not work in these days."""
        asked = self.asked
        day = partial(day_of_second, asked.scope)
        with Catalog(self._root) as catalog:
            rows = catalog.holdings(asked.scope, asked.sites, kind=asked.kind)
            every = asked.sites is None and asked.kind is SiteKind.STATION
            known = catalog.stations() if every else []
        held = [
            Held(site, day(first), day(last), frozenset(items.split(",")))
            for site, first, last, items in rows
        ]
        return held, frozenset(
            facts["number"] for facts in known if not served(facts, asked.first, asked.last)
        )
