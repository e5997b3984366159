"""The charts that reports add: a season on its band, radiation against a clear sky."""

from __future__ import annotations

import datetime as dt
import json

import polars as pl
import pytest

from cimis.charts.band import band
from cimis.charts.chart import Chart
from cimis.charts.clear_sky import clear_sky
from cimis.charts.spec import vega_lite
from cimis.pipeline.errors import NoDataError

SPAN = dt.date(2024, 6, 1), dt.date(2024, 6, 4)
NONE = pl.lit(None, pl.Float64)


def days(values: list[float | None], flags: list[str | None] | None = None) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "time": pl.date_range(*SPAN, "1d", eager=True),
            "value": pl.Series(values, dtype=pl.Float64),
            "flag": pl.Series(flags or [None] * 4, dtype=pl.String),
        }
    )


def banded(rows: pl.DataFrame, low: float | None = 2.0, high: float | None = 6.0) -> pl.DataFrame:
    middle = None if low is None or high is None else (low + high) / 2
    parts = {"p10": low, "p25": low, "median": middle, "p75": high, "p90": high}
    return rows.with_columns(
        pl.lit(False).alias("alone"),
        *(pl.lit(value, pl.Float64).alias(name) for name, value in parts.items()),
    )


def drawn(chart: Chart) -> dict[str, object]:
    """Return the chart as Vega, which names what the specification gets wrong."""
    vl_convert = pytest.importorskip("vl_convert")
    made: dict[str, object] = vl_convert.vegalite_to_vega(json.dumps(vega_lite(chart)))
    return made


def test_a_band_is_told_in_figures() -> None:
    rows = banded(days([1.5, 7.0, None, 4.0], ["R", None, None, None]))
    chart = band(rows, "Reference ET", "mm", "Davis (6)", SPAN, "20 years, 2005-2024", zero=True)
    assert "lowest 1.5 mm on 2024-06-01, highest 7 mm on 2024-06-02" in chart.description
    assert "1 of 4 days without a value" in chart.description
    assert "Of 3 days 1 lie above the 90th percentile" in chart.description
    assert chart.subtitle.endswith("× flagged")
    assert chart.notes == ()
    assert drawn(chart)["marks"]


def test_without_normals_there_is_no_band_and_the_chart_says_so() -> None:
    rows = banded(days([1.5, 7.0, None, 4.0]), None, None)
    chart = band(rows, "Rain", "mm", "Davis (6)", SPAN, None)
    assert "no normal: fewer than five years" in chart.subtitle
    assert "p90" not in json.dumps(chart.spec)
    assert drawn(chart)["marks"]


def test_days_without_a_band_are_counted() -> None:
    whole = banded(days([1.5, 7.0, None, 4.0]))
    bare = banded(days([1.5, 7.0, None, 4.0]), None, None)
    rows = pl.concat([whole.head(3), bare.tail(1)])
    chart = band(rows, "Rain", "mm", "Davis (6)", SPAN, "6 years, 2013-2022")
    assert chart.notes == ("1 day has no grey band: fewer than five years are stored around them",)


def test_radiation_above_a_clear_sky_is_counted() -> None:
    rows = days([310.0, 150.0, None, 290.0]).with_columns(clear=pl.lit(300.0))
    chart = clear_sky(rows, "W/m²", "Davis (6)", SPAN, "the sensor is sound")
    assert "On 1 of 3 days more was measured" in chart.description
    assert "the largest ratio is 1.03 on 2024-06-01" in chart.description
    assert drawn(chart)["marks"]


def test_no_value_is_no_band() -> None:
    with pytest.raises(NoDataError, match="nothing to plot"):
        band(banded(days([None] * 4)), "Rain", "mm", "Davis (6)", SPAN, None)


def test_no_radiation_is_no_clear_sky() -> None:
    rows = days([None] * 4).with_columns(NONE.alias("clear"))
    with pytest.raises(NoDataError, match="nothing to plot"):
        clear_sky(rows, "W/m²", "Davis (6)", SPAN, "")
