"""What a station lacks in the days of its report: a calendar, how complete items are, flags."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cimis.answers.completeness import gaps as completeness
from cimis.charts.gaps import gaps as gap_chart
from cimis.charts.words import item_word
from cimis.pages.page import Column, Figure, Note, Section, Table, Text
from cimis.pages.station.subject import Subject
from cimis.pipeline.field.items import QC_FLAGS

if TYPE_CHECKING:
    import polars as pl

__all__ = ["flags", "gaps"]

_KEPT = (
    "Flagged values are shown and counted as the network sent them, unless a figure says otherwise."
)


def gaps(subject: Subject, key: str, heading: str) -> Section:
    """Return the section of days and values that are not there."""
    import polars as pl

    found = completeness(
        subject.opened, subject.station, *subject.span, items=[*subject.items]
    ).stations[0]
    days = pl.select(
        pl.lit(subject.station, pl.UInt16).alias("station"),
        pl.date_range(*subject.span, "1d").alias("date"),
        pl.lit(pl.Series(found.shares)).fill_nan(None).alias("share"),
    )
    words = {item.column: item_word(item) for item in subject.items}
    rows = [
        {
            "item": words[one.item],
            "expected": one.expected,
            "absent": one.absent,
            "missing": one.missing,
            "percent": round(100 * one.share, 2),
            "longest": longest.length if longest else None,
            "first": longest.first if longest else None,
            "last": longest.last if longest else None,
        }
        for one in found.items
        for longest in [max(one.runs, key=lambda run: run.length, default=None)]
    ]
    table = Table(
        "How complete each item is",
        pl.DataFrame(rows, infer_schema_length=None).with_columns(
            pl.col("longest").cast(pl.Int64), pl.col("first", "last").cast(pl.String)
        ),
        (
            Column("item", "Item"),
            Column("expected", "Days expected"),
            Column("absent", "Without record"),
            Column("missing", "Without value"),
            Column("percent", "Complete", "%", 2),
            Column("longest", "Longest gap", "days"),
            Column("first", "From"),
            Column("last", "To"),
        ),
        key="completeness",
    )
    chart = gap_chart(days, subject.names, what=[item_word(item) for item in subject.items])
    return Section(key, heading, [Figure(chart, height=_height(days)), table])


def _height(days: pl.DataFrame) -> int:
    """Return how high the calendar is: more for each year."""
    years = days["date"].dt.year().n_unique()
    return 150 * years if years < 7 else 26 * years


def flags(subject: Subject, key: str, heading: str) -> Section:
    """Return the section of quality-control flags: how many of each letter, by item."""
    import polars as pl

    parts = [
        subject.rows.select(
            pl.lit(item_word(item)).alias("item"),
            pl.col(item.flag_column).alias("flag"),
            pl.col(item.column).is_not_null().alias("value"),
        ).drop_nulls("flag")
        for item in subject.items
    ]
    long = pl.concat(parts) if parts else pl.DataFrame()
    if long.is_empty():
        return Section(key, heading, [Text(["No value of these days is flagged."])])
    order = [flag.letter for flag in QC_FLAGS]
    letters = sorted(
        long["flag"].unique().to_list(),
        key=lambda letter: (order.index(letter) if letter in order else len(order), letter),
    )
    counts = (
        long.group_by("item", "flag", maintain_order=True)
        .agg(pl.len().alias("count"))
        .pivot("flag", index="item", values="count", maintain_order=True)
        .select("item", *letters, pl.sum_horizontal(letters).alias("all"))
    )
    table = Table(
        "Flags by item and letter, in days",
        counts,
        [
            Column("item", "Item"),
            *(Column(letter, letter) for letter in letters),
            Column("all", "All"),
        ],
        key="flags",
    )
    known = {flag.letter: flag for flag in QC_FLAGS}
    meant = pl.DataFrame(
        [
            {
                "flag": letter,
                "meaning": known[letter].meaning if letter in known else "not known to cimis",
                "severe": "severe" if letter in known and known[letter].severe else "",
                "with": long.filter((pl.col("flag") == letter) & pl.col("value")).height,
                "without": long.filter((pl.col("flag") == letter) & ~pl.col("value")).height,
            }
            for letter in letters
        ]
    )
    legend = Table(
        "What the letters mean",
        meant,
        (
            Column("flag", "Flag"),
            Column("meaning", "Meaning"),
            Column("severe", "Weight"),
            Column("with", "With a value", "days"),
            Column("without", "Without", "days"),
        ),
        key="flag-meanings",
    )
    return Section(key, heading, [table, legend, Note([_KEPT])])
