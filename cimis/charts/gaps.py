"""A calendar of gaps: for each day, how many of its values are there."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cimis.charts.axes import DAY
from cimis.charts.chart import ROWS, Chart
from cimis.charts.long import check_some
from cimis.charts.words import called, listed, sentence, span_words, station_word

if TYPE_CHECKING:
    import polars as pl

__all__ = ["CLASSES", "gaps"]

CLASSES = ("no record", "no value", "some values", "most values", "all values")
"""What a day can be, from the worst; `some` are less than two thirds."""

MOST_CALENDARS = 6
"""Years of stations that are drawn as weeks of seven days; more are a line each."""

_MOST = 2 / 3
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_WEEKS = 54
_LEAP_YEAR = 2000


def gaps(
    days: pl.DataFrame,
    names: Mapping[int, str],
    *,
    what: Sequence[str] = (),
    notes: tuple[str, ...] = (),
) -> Chart:
    """Return a calendar whose days say by colour how many of their values are stored.

    Up to six years of stations are calendars of weeks; more are lines of days.

    Parameters
    ----------
    days : polars.DataFrame
        ``station``, ``date``, and ``share`` of its values that are there (0 to 1), null on days
        without any record.
    names : mapping of int to str
        Stations' names.
    what : sequence of str
        The items that are looked at, in words; by default all that are stored.

    Returns
    -------
    Chart
        Its rows: ``station``, ``line`` (station and year in words), ``date``, ``share``, ``there``
        (one of :data:`CLASSES`), ``week`` and ``weekday`` (Mon to Sun), ``begin`` and ``end`` (the
        day and the next, in a leap year that all lines share).
    """
    import polars as pl

    check_some(days["date"], "these items")
    stations = days["station"].unique(maintain_order=True).to_list()
    drawn = _drawn(days, names, several=len(stations) > 1)
    lines = drawn["line"].unique(maintain_order=True).to_list()
    first, last = drawn["date"].min(), drawn["date"].max()
    assert isinstance(first, dt.date)
    assert isinstance(last, dt.date)
    counts = drawn.group_by("station", "there").agg(pl.len())
    items = (
        listed(sentence(["", *what])[1:])
        if 0 < len(what) <= len(_DAYS) // 2
        else f"{len(what)} items"
    )
    return Chart(
        kind="gaps",
        title=f"What is stored{f' of {items}' if what else ''}, {called(stations, names)}",
        subtitle=f"{span_words(first, last)}, day by day",
        description=_described(counts, stations, names, (first, last)),
        rows=drawn,
        spec=_calendar(lines) if len(lines) <= MOST_CALENDARS else _lines(lines, drawn),
        notes=notes,
    )


def _drawn(days: pl.DataFrame, names: Mapping[int, str], *, several: bool) -> pl.DataFrame:
    import polars as pl

    date, share = pl.col("date"), pl.col("share").fill_nan(None)
    year = date.dt.year()
    words = {station: station_word(station, names) for station in days["station"].unique()}
    whose = pl.col("station").replace_strict(words, return_dtype=pl.String)
    monday = pl.date(year, 1, 1).dt.weekday() - 1
    next_day = date.dt.offset_by("1d")
    same_year = pl.lit(_LEAP_YEAR) + (next_day.dt.year() - year)
    begin = pl.date(_LEAP_YEAR, date.dt.month(), date.dt.day())
    end = pl.date(same_year, next_day.dt.month(), next_day.dt.day())
    none, no_value, some, most, every = CLASSES
    there = (
        pl.when(share.is_null())
        .then(pl.lit(none))
        .when(share >= 1)
        .then(pl.lit(every))
        .when(share >= _MOST)
        .then(pl.lit(most))
        .when(share > 0)
        .then(pl.lit(some))
        .otherwise(pl.lit(no_value))
    )
    return days.select(
        "station",
        (pl.format("{}, {}", whose, year) if several else year.cast(pl.String)).alias("line"),
        "date",
        share.alias("share"),
        there.alias("there"),
        ((date.dt.ordinal_day() - 1 + monday) // len(_DAYS)).alias("week"),
        date.dt.weekday()
        .replace_strict(dict(enumerate(_DAYS, 1)), return_dtype=pl.String)
        .alias("weekday"),
        begin.alias("begin"),
        end.alias("end"),
    )


def _color() -> dict[str, Any]:
    scale = {"domain": list(CLASSES), "range": "ordinal"}
    return {"field": "there", "type": "ordinal", "scale": scale, "legend": {"symbolType": "square"}}


def _told() -> list[dict[str, Any]]:
    return [
        {"field": "line", "type": "nominal", "title": "of"},
        {"field": "when", "type": "nominal", "title": "day"},
        {"field": "there", "type": "nominal", "title": "stored"},
        {"field": "share", "type": "quantitative", "title": "share", "format": ".0%"},
    ]


def _said() -> dict[str, Any]:
    return {"calculate": f"utcFormat(toDate(datum.date), '{DAY}')", "as": "when"}


def _calendar(lines: Sequence[str]) -> dict[str, Any]:
    """Return a calendar for each line: weeks beside each other, Monday on top."""
    firsts = [dt.date(_LEAP_YEAR, month, 1) for month in range(1, 13)]
    months = {day.timetuple().tm_yday // len(_DAYS): f"{day:%b}" for day in firsts}
    named = " : ".join(f"datum.value == {week} ? '{name}'" for week, name in months.items())
    weeks = {
        "field": "week",
        "type": "ordinal",
        "scale": {"domain": list(range(_WEEKS)), "paddingInner": 0.1},
        "axis": {
            "title": None,
            "orient": "top",
            "values": list(months),
            "labelExpr": f"{named} : ''",
            "labelAngle": 0,
            "labelAlign": "left",
            "labelOverlap": "greedy",
            "ticks": False,
            "domain": False,
        },
    }
    days = {
        "field": "weekday",
        "type": "ordinal",
        "scale": {"domain": list(_DAYS), "paddingInner": 0.1},
        "axis": {
            "title": None,
            "values": [_DAYS[0], _DAYS[3], _DAYS[6]],
            "ticks": False,
            "domain": False,
        },
    }
    return {
        "data": {"name": ROWS},
        "transform": [_said()],
        "vconcat": [
            {
                "title": {"text": line, "fontSize": 12},
                "transform": [{"filter": {"field": "line", "equal": line}}],
                "mark": {"type": "rect"},
                "encoding": {"x": weeks, "y": days, "color": _color(), "tooltip": _told()},
            }
            for line in lines
        ],
        "spacing": 10,
    }


def _lines(lines: Sequence[str], days: pl.DataFrame) -> dict[str, Any]:
    """Return a line for each year of a station, of runs of days that are alike.

    The runs stand in the specification itself: as days they would be some megabytes.
    """
    x = {
        "field": "begin",
        "type": "temporal",
        "scale": {"type": "utc", "nice": "month"},
        "axis": {
            "title": None,
            "format": "%b",
            "tickCount": 12,
            "grid": False,
            "labelAlign": "left",
        },
    }
    axis = {"title": None, "ticks": False, "domain": False, "labelLimit": 260}
    told = {"line": "of", "first": "from", "last": "to", "there": "stored"}
    return {
        "data": {"values": _runs(days)},
        "mark": {"type": "rect"},
        "encoding": {
            "x": x,
            "x2": {"field": "end"},
            "y": {
                "field": "line",
                "type": "ordinal",
                "sort": list(lines),
                "scale": {"paddingInner": 0.12},
                "axis": axis | {"labelOverlap": False},
            },
            "color": _color(),
            "tooltip": [
                {"field": name, "type": "nominal", "title": title} for name, title in told.items()
            ],
        },
    }


def _runs(days: pl.DataFrame) -> list[dict[str, Any]]:
    """Return runs of days of one line that are alike, with their first and last day."""
    import polars as pl

    runs = days.with_columns(run=pl.struct("line", "there").rle_id())
    found = runs.group_by("run", maintain_order=True).agg(
        pl.col("line", "there", "begin").first(),
        pl.col("end").last(),
        pl.col("date").first().alias("first"),
        pl.col("date").last().alias("last"),
    )
    return found.drop("run").with_columns(pl.selectors.date().dt.to_string("%Y-%m-%d")).to_dicts()


def _described(
    counts: pl.DataFrame,
    stations: Sequence[int],
    names: Mapping[int, str],
    span: tuple[dt.date, dt.date],
) -> str:
    found = {(station, kind): count for station, kind, count in counts.iter_rows()}
    told = []
    for station in stations[: 2 * len(_DAYS)]:
        parts = [
            f"{kind} on {found[station, kind]:,}"
            for kind in CLASSES[::-1]
            if (station, kind) in found
        ]
        days = sum(found.get((station, kind), 0) for kind in CLASSES)
        told.append(f"{station_word(station, names)}: of {days:,} days {listed(parts)}")
    left = len(stations) - len(told)
    more = f"; and {left} more stations" if left > 0 else ""
    return f"Calendar of what is stored, {span_words(*span)}. {'; '.join(told)}{more}."
