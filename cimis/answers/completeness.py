"""How complete what is stored is: days and hours without a record, values missing in one."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from cimis.answers.question import question_of
from cimis.answers.rows import rows_of
from cimis.arguments import Day, Items
from cimis.lacking import stop_at_damage, warn_of_damage
from cimis.naming.sites import Stations
from cimis.opened import Opened
from cimis.pipeline.errors import NoDataError
from cimis.pipeline.field.items import Scope
from cimis.pipeline.lacks import Lacks
from cimis.pipeline.markup import Card, Sheet, counted

if TYPE_CHECKING:
    import polars as pl

    from cimis.queries.answers.gaps import Completeness, StationGaps

__all__ = ["Gaps", "gaps"]


@dataclass(frozen=True, slots=True, repr=False)
class Gaps:
    """What stations lack, per station and item.

    Attributes
    ----------
    stations : tuple of StationGaps
        With the share of values that is there, day by day.
    lacks : Lacks
        What the answer itself is short of: stations without any row, items that nothing holds,
        damaged chunks, whose days count as absent.
    """

    stations: tuple[StationGaps, ...]
    lacks: Lacks

    def __iter__(self) -> Iterator[Completeness]:
        for station in self.stations:
            yield from station.items

    def as_dicts(self) -> list[dict[str, Any]]:
        """Return one dictionary per station and item, as ``cimis gaps --json`` prints them."""
        return [item.as_dict() for item in self]

    def pl(self) -> pl.DataFrame:
        """Return one row per run of days or hours without a value, as ``cimis gaps --runs``.

        Returns
        -------
        polars.DataFrame
            ``station``, ``item``, ``kind`` (absent: no record; missing: no value), ``first``,
            ``last`` (days, or of hourly records ``2024-06-01 hour 14``), ``length``.
        """
        import polars as pl

        who = pl.String if any(isinstance(one.station, str) for one in self) else pl.UInt16
        names = ("kind", "first", "last")
        schema = {"station": who, "item": pl.String} | dict.fromkeys(names, pl.String)
        rows = [
            (item.station, item.item, run.kind, run.first, run.last, run.length)
            for item in self
            for run in item.runs
        ]
        return pl.DataFrame(rows, schema | {"length": pl.Int64}, orient="row")

    def _card(self) -> Card:
        """Return how complete each station's items are, the worst first."""
        found = sorted(self, key=lambda one: one.share)
        rows = [
            (one.station, one.item, one.expected, one.absent, one.missing, f"{one.share:.1%}")
            for one in found
        ]
        whole = sum(one.share == 1 for one in found)
        title = f"{whole:,} of {counted(len(found), 'series', 'series')} complete"
        heads = ("station", "item", "expected", "absent", "missing", "complete")
        notes = (self.lacks.text(),) if self.lacks else ()
        sheets = (Sheet.of("Least complete first", heads, rows),)
        return Card("Gaps", title, sheets=sheets, notes=notes)

    def __repr__(self) -> str:
        return self._card().line()

    def _repr_html_(self) -> str:
        return self._card().html()


def gaps(
    opened: Opened,
    stations: Stations | None = None,
    start: Day | None = None,
    end: Day | None = None,
    items: Items | None = None,
    *,
    scope: str | Scope = "daily",
) -> Gaps:
    """Tell per station and item how many days (or hours) have no record or no value.

    As ``cimis gaps`` does. Absent ones have no record at all; of missing ones the value is.

    Parameters
    ----------
    stations : int, str, Target or iterable of them, optional
        As of :meth:`daily`; by default all that are stored.
    start, end : date or str, optional
        First and last day, both inclusive; by default each station's own first and last.
    items : str or iterable of str, optional
        By default all that are stored.
    scope : {"daily", "hourly"}

    Returns
    -------
    Gaps
        Its ``lacks`` tells of which stations and items nothing is stored.

    Raises
    ------
    NoDataError
        When no record, or no such item, is stored of these stations and days.
    ChunkError
        When all that is stored of them is damaged.
    UsageError
        As of :meth:`daily`.
    """
    from cimis.pipeline.catalog.database import Catalog
    from cimis.queries.answers.carried import witnesses, years_held
    from cimis.queries.answers.gaps import gaps_of

    asked = question_of(opened.root, scope, stations, start, end, items)
    kind, sites, named = asked.scope, asked.sites, asked.items
    read = named  # and the items that tell of each record where it came from
    if named is not None and not sites.spatial:
        read = tuple(dict.fromkeys((*named, *witnesses(kind))))
    rows = rows_of(opened, asked._replace(items=read), "metric", "keep")
    table = rows.table()
    with Catalog(opened.root) as catalog:
        held = years_held(catalog.holdings(kind, sites.named, kind=sites.kind), kind)
    if table.num_rows == 0:
        stop_at_damage(rows.damaged)
        raise NoDataError(
            f"no {kind} record is stored of these stations and days",
            hint="see what is stored with 'cimis stats'",
        )
    found = tuple(
        gaps_of(table, kind, asked.first, asked.last, stations=sites.named, items=named, held=held)
    )
    tally = asked.tally(opened.root)
    deque(tally.over(table.to_batches()), maxlen=0)
    # absent days are the answer itself
    told = Gaps(found, replace(tally.lacks(), short=(), damaged=tuple(rows.damaged)))
    if not any(station.items for station in found):
        what = items if isinstance(items, str) else ",".join(i.column for i in named or ())
        error = NoDataError(
            f"nothing stored carries {what or 'any item'}",
            hint="'cimis items' lists them; fetch or import it",
        )
        error.report = told
        raise error
    warn_of_damage(rows.damaged)
    return told
