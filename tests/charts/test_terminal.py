"""In a terminal a chart keeps to its width, to ASCII where asked, and to no colours where asked."""

from __future__ import annotations

import datetime as dt
import math
import re

import polars as pl
import pytest

from cimis.charts.chart import Chart
from cimis.charts.eto_rain import eto_rain
from cimis.charts.gaps import gaps
from cimis.charts.rose import rose
from cimis.charts.scatter import scatter
from cimis.charts.series import series
from cimis.charts.terminal.canvas import COLORS
from cimis.charts.terminal.draw import drawn_lines
from tests.charts.made import NAMES, daily, days

SPAN = (dt.date(2024, 1, 1), dt.date(2024, 12, 31))
WAVE = [5 + 4 * math.sin((n - 100) / 58) for n in range(366)]
ETO, PRECIP = daily("asce_eto", "precip")
RAIN = [20.0 if n % 50 == 0 else 0.0 for n in range(366)]


def _rows(station: int = 2) -> pl.DataFrame:
    return days(station, "2024-01-01", {"asce_eto": WAVE, "precip": RAIN})


def _hours() -> pl.DataFrame:
    places = range(2_000)
    return pl.DataFrame(
        {
            "station": [2] * 2_000,
            "direction": [float(n * 7 % 360) for n in places],
            "speed": [n % 90 / 10 for n in places],
        }
    )


def _calendar() -> pl.DataFrame:
    dates = pl.date_range(*SPAN, eager=True)
    shares = [None if n == 40 else 0.5 if n == 50 else 1.0 for n in range(366)]
    return pl.DataFrame({"station": [2] * 366, "date": dates, "share": shares})


CHARTS = {
    "series": lambda: series(_rows(), daily("asce_eto", "precip"), NAMES),
    "eto-rain": lambda: eto_rain(_rows(), ETO, PRECIP, NAMES),
    "gaps": lambda: gaps(_calendar(), NAMES),
    "rose": lambda: rose(_hours(), NAMES, span=SPAN, symbol="m/s"),
    "scatter": lambda: scatter(
        pl.concat([_rows(), _rows(6)]), daily("asce_eto")[0], (2, 6), NAMES, span=SPAN
    ),
}


@pytest.fixture(params=CHARTS)
def chart(request: pytest.FixtureRequest) -> Chart:
    made: Chart = CHARTS[request.param]()
    return made


@pytest.mark.parametrize("width", [40, 57, 80, 132])
def test_no_line_is_longer_than_the_width(chart: Chart, width: int) -> None:
    assert max(map(len, drawn_lines(chart, width=width))) <= width


def test_plain_is_ascii_alone(chart: Chart) -> None:
    assert "\n".join(drawn_lines(chart, plain=True)).isascii()


def test_colours_are_given_where_there_is_a_palette(chart: Chart) -> None:
    assert "\x1b" not in "".join(drawn_lines(chart))
    assert "\x1b[38;5;" in "".join(drawn_lines(chart, palette=COLORS["dark"]))


def test_colours_change_no_sign(chart: Chart) -> None:
    colored = drawn_lines(chart, palette=COLORS["any"])
    assert [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in colored] == drawn_lines(chart)


def test_units_and_title_are_said(chart: Chart) -> None:
    lines = drawn_lines(chart, width=200)
    assert lines[0] == chart.title
    assert chart.kind == "gaps" or any("mm" in line or "m/s" in line for line in lines[1:])


def test_a_gap_of_weeks_is_open() -> None:
    values: list[float | None] = [5.0] * 366
    values[100:200] = [None] * 100
    chart = series(days(2, "2024-01-01", {"asce_eto": values}), daily("asce_eto"), NAMES)
    drawn = [line[3:].ljust(76) for line in drawn_lines(chart, plain=True)]
    (flat,) = [line for line in drawn if "#" in line]
    assert flat[25:38].strip() == ""
    assert "#" in flat[:15]
    assert "#" in flat[50:]


def test_a_constant_is_drawn() -> None:
    chart = series(days(2, "2024-01-01", {"dew_pnt": [3.0, 3.0]}), daily("dew_pnt"), NAMES)
    assert any("#" in line for line in drawn_lines(chart, plain=True))


def test_a_calendar_has_a_sign_a_day() -> None:
    lines = drawn_lines(gaps(_calendar(), NAMES), width=44, plain=True)
    assert "2024-02 #########.#########-#########" in lines


def test_many_years_have_a_line_each_with_the_worst_day_of_each_week() -> None:
    dates = pl.date_range(dt.date(2010, 1, 1), dt.date(2019, 12, 31), eager=True)
    shares = [None if date == dt.date(2012, 1, 9) else 1.0 for date in dates]
    rows = pl.DataFrame({"station": [2] * len(dates), "date": dates, "share": shares})
    lines = drawn_lines(gaps(rows, NAMES), plain=True)
    (line,) = [line for line in lines if line.startswith("2012")]
    assert line == "2012 " + "#." + "#" * 51


def test_letters_that_ascii_lacks_are_spelt() -> None:
    rows = days(2, "2024-01-01", {"asce_eto": [1.0, 2.0]})
    chart = series(rows, daily("asce_eto"), {2: "Cañada"})
    assert drawn_lines(chart, plain=True)[0] == "Reference ET, Canada (2)"
