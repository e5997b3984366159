"""The table of a report: every day, or every month where the span is long."""

from __future__ import annotations

from cimis.charts.words import item_word
from cimis.pages.page import Column, Section, Table, Text
from cimis.pages.station.subject import Subject
from cimis.pipeline.field.items import Item, Rule

__all__ = ["days_table"]


def days_table(subject: Subject, daily: bool, key: str, heading: str) -> Section:
    """Return the section of the table that sorts and copies: of days, or of months."""
    if daily:
        return Section(key, heading, [Text([_FLAGS]), _days(subject)])
    return Section(key, heading, [Text([_MONTHS]), _months(subject)])


_FLAGS = (
    "Small letters are the network's flags, explained above. The heads sort; the table can be "
    "copied into a spreadsheet."
)
_MONTHS = (
    "Depths are added up, all else is the mean of the days that have a value (of extremes the "
    "extreme); Days counts those with a record. The heads sort; the table can be copied into a "
    "spreadsheet."
)


def _days(subject: Subject) -> Table:
    columns = [
        Column(
            item.column,
            item_word(item),
            subject.symbol(item),
            _shown(subject, item),
            flags=item.flag_column,
        )
        for item in subject.items
    ]
    return Table(
        f"Daily records of {subject.word}",
        subject.rows,
        [Column("date", "Date"), *columns],
        key="days",
        tall=True,
    )


def _shown(subject: Subject, item: Item) -> int | None:
    """Return the decimals that an item's days are shown with: the usual ones, if none has more."""
    usual, values = item.decimals(subject.standard), subject.rows[item.column]
    return usual if (values.round(usual) == values).all() else None


def _months(subject: Subject) -> Table:
    import polars as pl

    def joined(item: Item) -> pl.Expr:
        value = pl.col(item.column)
        if item.rule is Rule.SUM:
            return pl.when(value.count() > 0).then(value.sum())
        if item.rule is Rule.MAX:
            return value.max()
        if item.rule is Rule.MIN:
            return value.min()
        return value.mean()

    items = [item for item in subject.items if item.rule is not Rule.DIRECTION]
    months = subject.rows.group_by(
        pl.col("date").dt.strftime("%Y-%m").alias("month"), maintain_order=True
    ).agg(
        pl.col("stored").sum().alias("days"), *(joined(item).alias(item.column) for item in items)
    )
    columns = [
        Column(item.column, item_word(item), subject.symbol(item), item.decimals(subject.standard))
        for item in items
    ]
    return Table(
        f"Months of {subject.word}",
        months,
        [Column("month", "Month"), Column("days", "Days"), *columns],
        key="months",
        tall=True,
    )
