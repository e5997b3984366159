"""Days of a season on the band of what is normal for them: percentiles of all stored years."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cimis.charts.axes import DAY, flags, pointed, time_axis, value_axis, when
from cimis.charts.chart import ROWS, Chart
from cimis.charts.long import check_some
from cimis.charts.words import figure, span_words
from cimis.pipeline.field.items import Scope

if TYPE_CHECKING:
    import datetime as dt

    import polars as pl

__all__ = ["band"]


def band(
    rows: pl.DataFrame,
    word: str,
    symbol: str,
    whose: str,
    span: tuple[dt.date, dt.date],
    period: str | None,
    *,
    zero: bool = False,
) -> Chart:
    """Return a chart of one item's days on the percentiles of their calendar days.

    Parameters
    ----------
    rows : polars.DataFrame
        A row a day: ``time`` (Date), ``value``, ``flag``, ``alone`` (whether no line would show
        it), and ``p10``, ``p25``, ``median``, ``p75``, ``p90`` of its calendar day, null where too
        few years have one.
    word, symbol, whose : str
        The item in words, its unit, and the station.
    span : tuple of date
    period : str, optional
        The years that the percentiles are of, as ``20 years, 2005-2024``; None where there are too
        few.
    zero : bool
        Whether the axis begins at 0.

    Raises
    ------
    NoDataError
        Where no value is there.
    """
    check_some(rows["value"], word)
    flagged = rows.filter(rows["flag"].is_not_null() & rows["value"].is_not_null()).height
    grey = (
        "no normal: fewer than five years are stored"
        if period is None
        else f"grey: middle 80 % and 50 % of {period}, dashed: median"
    )
    return Chart(
        kind="band",
        title=word,
        subtitle=f"{symbol}, daily · {grey}" + (" · × flagged" if flagged else ""),
        description=_described(rows, word, symbol, whose, span, period),
        rows=rows,
        notes=_notes(rows, period),
        spec=_spec(word, symbol, span, period is not None, zero=zero),
    )


def _spec(
    word: str, symbol: str, span: tuple[dt.date, dt.date], known: bool, *, zero: bool
) -> dict[str, Any]:
    number = {"type": "quantitative", "format": ",.4~g"}
    told = [
        {"field": "when", "type": "nominal", "title": "day"},
        {"field": "value", "title": f"{word} ({symbol})", **number},
        {"field": "flag", "type": "nominal", "title": "flag"},
    ]
    normal = [
        {"field": name, "title": title, **number}
        for name, title in (
            ("p90", "90th percentile"),
            ("median", "median"),
            ("p10", "10th percentile"),
        )
    ]
    y = value_axis(f"{word} ({symbol})", zero=zero)
    plain = {"field": "value", "type": "quantitative"}
    areas: list[dict[str, Any]] = [
        {
            "mark": {"type": "area", "style": "band", "opacity": opacity, "tooltip": None},
            "encoding": {"y": y | {"field": low}, "y2": {"field": high}},
        }
        for low, high, opacity in (("p10", "p90", 0.45), ("p25", "p75", 0.6))
    ]
    areas.append(
        {
            "mark": {"type": "line", "style": "median", "tooltip": None},
            "encoding": {"y": y | {"field": "median"}},
        }
    )
    layers = [
        *(areas if known else ()),
        {"mark": {"type": "line", "tooltip": None}, "encoding": {"y": y}},
        {
            "transform": [{"filter": "datum.alone"}],
            "mark": {"type": "point"},
            "encoding": {"y": y},
        },
        flags() | {"encoding": {"y": plain, "color": None}},
        pointed(told + (normal if known else [])),
    ]
    return {
        "data": {"name": ROWS},
        "transform": [when(Scope.DAILY)],
        "encoding": {"x": time_axis(span)},
        "layer": layers,
    }


def _notes(rows: pl.DataFrame, period: str | None) -> tuple[str, ...]:
    """Say on how many days there is no band though others have one."""
    lacking = 0 if period is None else rows["median"].null_count()
    if not lacking:
        return ()
    many = f"{lacking:,} days have" if lacking > 1 else "1 day has"
    return (f"{many} no grey band: fewer than five years are stored around them",)


def _described(
    rows: pl.DataFrame,
    word: str,
    symbol: str,
    whose: str,
    span: tuple[dt.date, dt.date],
    period: str | None,
) -> str:
    import polars as pl

    there = rows.filter(pl.col("value").is_not_null())
    low, high = (there.sort("value", descending=down).row(0, named=True) for down in (False, True))
    text = (
        f"{word} of {whose}, {span_words(*span)}: lowest {figure(low['value'], symbol)} on "
        f"{low['time']:{DAY}}, highest {figure(high['value'], symbol)} on {high['time']:{DAY}}, "
        f"{rows.height - there.height:,} of {rows.height:,} days without a value."
    )
    if period is None:
        return text
    known = there.drop_nulls("p10")
    above, below = (
        known.filter(pl.col("value") > pl.col("p90")).height,
        known.filter(pl.col("value") < pl.col("p10")).height,
    )
    return (
        f"{text} Of {known.height:,} days {above:,} lie above the 90th percentile of {period}, and "
        f"{below:,} below the 10th."
    )
