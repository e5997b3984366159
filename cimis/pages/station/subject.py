"""What a report is about: a station, a span of days, and all that is stored of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cimis.answers.question import question_of
from cimis.answers.rows import rows_of
from cimis.charts.words import station_word
from cimis.opened import Opened
from cimis.pipeline.field.items import Item, Scope, Standard, scope_items

if TYPE_CHECKING:
    import polars as pl

    from cimis.pipeline.lacks import Lacks

__all__ = ["Subject", "subject_of"]


@dataclass(frozen=True, slots=True)
class Subject:
    """A station and its days.

    Attributes
    ----------
    opened : Opened
    station : int
    facts : mapping
        What the network's list says of it; empty where there is none.
    first, last : datetime.date
        Days reported, both inclusive.
    standard : Standard
        The units of everything that the report says.
    rows : polars.DataFrame
        A row for every day: ``date``, ``stored`` (whether there is a record), and each item that
        the station has, with its flag; flagged values too.
    items : tuple of Item
        Those of which something is stored in these days.
    """

    opened: Opened
    station: int
    facts: Mapping[str, Any]
    first: dt.date
    last: dt.date
    standard: Standard
    rows: pl.DataFrame
    items: tuple[Item, ...]

    @property
    def names(self) -> dict[int, str]:
        """The station's name by its number, as charts take them."""
        name = self.facts.get("name")
        return {self.station: str(name)} if name else {}

    @property
    def word(self) -> str:
        """The station in words: ``Davis (6)``."""
        return station_word(self.station, self.names)

    @property
    def span(self) -> tuple[dt.date, dt.date]:
        """First and last day."""
        return self.first, self.last

    @property
    def eto(self) -> Item | None:
        """The reference ET that most days have: ASCE's, or in older records the network's own."""
        held = [item for item in self.items if item.column in ("asce_eto", "eto")]
        return max(held, key=self.count, default=None)

    def item(self, column: str) -> Item | None:
        """Return an item of the days, None where nothing is stored of it."""
        return next((item for item in self.items if item.column == column), None)

    def count(self, item: Item) -> int:
        """Return on how many days an item has a value."""
        return self.rows.height - self.rows[item.column].null_count()

    def symbol(self, item: Item) -> str:
        """Return the unit of an item."""
        return item.symbol(self.standard)

    def long(self, item: Item) -> pl.DataFrame:
        """Return an item's days as charts take them: ``time``, ``value``, ``flag``, ``alone``."""
        import polars as pl

        value = pl.col("value")
        return self.rows.select(
            pl.col("date").alias("time"),
            pl.col(item.column).alias("value"),
            pl.col(item.flag_column).alias("flag"),
        ).with_columns(
            alone=value.is_not_null() & value.shift(1).is_null() & value.shift(-1).is_null()
        )


def subject_of(
    opened: Opened,
    station: int,
    span: tuple[dt.date, dt.date],
    standard: Standard,
    known: Sequence[Mapping[str, Any]],
) -> tuple[Subject | None, Lacks]:
    """Read what is stored of a station and days, and what that lacks.

    There is no subject where there is no record of them.
    """
    import polars as pl

    question = question_of(opened.root, Scope.DAILY, station, *span)
    rows = rows_of(opened, question, standard.value, "keep")
    found = rows.pl()
    if found.is_empty():
        return None, rows.lacks
    items = tuple(
        item
        for item in scope_items(Scope.DAILY)
        if item.column in found.columns
        and (
            found[item.column].null_count() < found.height
            or found[item.flag_column].null_count() < found.height
        )
    )
    columns = [name for item in items for name in (item.column, item.flag_column)]
    days = pl.date_range(*span, "1d", eager=True).alias("date").to_frame()
    whole = days.join(
        found.select("date", pl.lit(True).alias("stored"), *columns),
        on="date",
        how="left",
        maintain_order="left",
    ).with_columns(
        pl.col("stored").fill_null(False),
        pl.col([item.flag_column for item in items]).cast(pl.String),
    )
    facts = next((one for one in known if one["number"] == station), {})
    return Subject(opened, station, facts, *span, standard, whole, items), rows.lacks
