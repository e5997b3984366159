"""Files of charts: the suffix picks the form, and the same chart gives the same bytes."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import polars as pl
import pytest

from cimis.charts.chart import Chart
from cimis.charts.eto_rain import eto_rain
from cimis.charts.files import drawn
from cimis.charts.series import series
from cimis.charts.spec import vega_lite
from cimis.pipeline.errors import UsageError
from tests.charts.made import NAMES, daily, days

pytest.importorskip("vl_convert", reason="the extra plot is not installed")

COLUMNS: dict[str, list[float | None]] = {
    "asce_eto": [5.0, 6.0, None, 8.0, 9.0],
    "precip": [0.0, 2.0, 0.0, 1.0, 0.0],
}


@pytest.fixture
def chart() -> Chart:
    rows = days(2, "2024-06-01", COLUMNS, flags={"precip": {3: "Y"}})
    return series(rows, daily("asce_eto", "precip"), NAMES)


def words(svg: bytes) -> list[str]:
    """Return the texts that an SVG shows."""
    root = ET.fromstring(svg)
    return [text for e in root.iter() if e.tag.endswith("}text") and (text := e.text)]


def test_an_svg_shows_title_axis_and_days(chart: Chart) -> None:
    shown = words(drawn(chart, ".svg"))
    assert "Reference ET and rain, Five Points (2)" in shown
    assert "Depth of water (mm)" in shown
    assert [w for w in shown if w.startswith("Jun")] == ["Jun", "Jun 2", "Jun 3", "Jun 4", "Jun 5"]


def test_an_svg_tells_what_it_shows_to_who_cannot_see_it(chart: Chart) -> None:
    root = ET.fromstring(drawn(chart, ".svg"))
    told = {child.tag.partition("}")[2]: child.text for child in root}
    assert (root.get("role"), told["title"]) == ("img", chart.title)
    assert told["desc"] == chart.description


def test_a_line_is_open_where_a_value_is_missing() -> None:
    def paths(values: list[float | None]) -> list[str]:
        chart = series(days(2, "2024-06-01", {"asce_eto": values}), daily("asce_eto"), NAMES)
        text = drawn(chart, ".svg").decode()
        lines = re.findall(r'<g class="mark-line[^>]*>(.*?)</g>', text)
        return [d for part in lines for d in re.findall(r' d="(M[^"]*)"', part)]

    assert [d.count("M") for d in paths([5.0, 6.0, 7.0, 8.0, 9.0])] == [1]
    assert [d.count("M") for d in paths([5.0, 6.0, None, 8.0, 9.0])] == [2]


def test_an_svg_has_the_same_bytes_each_time(chart: Chart) -> None:
    script = (
        "import sys\n"
        "from tests.charts.test_files import COLUMNS, NAMES, daily, days, drawn, series\n"
        "rows = days(2, '2024-06-01', COLUMNS, flags={'precip': {3: 'Y'}})\n"
        "chart = series(rows, daily('asce_eto', 'precip'), NAMES)\n"
        "sys.stdout.buffer.write(drawn(chart, '.svg'))"
    )
    other = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True).stdout
    drawn(chart, ".svg", theme="dark")
    assert drawn(chart, ".svg") == drawn(chart, ".svg") == other


@pytest.mark.parametrize(
    ("suffix", "magic"),
    [(".png", b"\x89PNG"), (".pdf", b"%PDF"), (".svg", b"<svg"), (".json", b"{")],
)
def test_the_suffix_picks_the_form(chart: Chart, suffix: str, magic: bytes, tmp_path: Path) -> None:
    path = chart.save(tmp_path / f"x{suffix.upper()}")
    assert path.read_bytes().startswith(magic)


def test_the_specification_is_saved_with_its_rows(chart: Chart, tmp_path: Path) -> None:
    spec = json.loads(chart.save(tmp_path / "x.vl.json").read_text())
    assert spec == json.loads(json.dumps(vega_lite(chart)))
    own = [row for row in spec["datasets"]["rows"] if row["item"] == "asce_eto"]
    assert [row.get("value") for row in own] == COLUMNS["asce_eto"]


def test_a_wider_picture_is_wider(chart: Chart) -> None:
    root = ET.fromstring(drawn(chart, ".svg", width=1_000))
    assert abs(float(root.get("width", 0)) - 1_000) < 40


def test_a_legend_keeps_to_the_width() -> None:
    rows = pl.concat([days(n, "2024-06-01", {"asce_eto": [5.0, 6.0]}) for n in (2, 6, 80)])
    chart = series(rows, daily("asce_eto"), NAMES)

    def columns(width: int) -> int:
        (panel,) = vega_lite(chart, width=width)["vconcat"]
        count: int = panel["encoding"]["color"]["legend"]["columns"]
        return count

    assert (columns(680), columns(360), columns(120)) == (3, 2, 1)


def test_rain_of_many_days_is_drawn_as_lines_that_do_not_vanish() -> None:
    rain: list[float | None] = [float(n % 7 == 0) for n in range(3_000)]
    chart = series(days(2, "2010-01-01", {"precip": rain}), daily("precip"), NAMES)
    text = drawn(chart, ".svg").decode()
    lines = re.search(r'<g class="mark-rule role-mark[^>]*>(.*?)</g>', text)
    assert lines is not None
    assert set(re.findall(r'stroke-width="([^"]*)"', lines[1])) == {"1"}


def test_the_dark_theme_has_a_dark_ground(chart: Chart) -> None:
    assert b'fill="#16191d"' in drawn(chart, ".svg", theme="dark")


def test_a_name_that_holds_markup_stays_a_name() -> None:
    rows = days(2, "2024-06-01", COLUMNS)
    names = {2: '<script>alert("x")</script>&'}
    eto, rain = daily("asce_eto", "precip")
    svg = drawn(eto_rain(rows, eto, rain, names), ".svg")
    assert b"<script" not in svg
    assert any("<script>" in text for text in words(svg))


def test_an_unknown_suffix_is_refused(chart: Chart, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot be written as 'x\.gif'"):
        chart.save(tmp_path / "x.gif")
    assert list(tmp_path.iterdir()) == []


def test_without_the_extra_one_line_says_what_to_install(
    chart: Chart, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    with pytest.raises(UsageError) as caught:
        chart.save(tmp_path / "x.svg")
    assert caught.value.hint == "pip install 'cimis[plot]'"
    assert list(tmp_path.iterdir()) == []


def test_the_specification_needs_no_extra(
    chart: Chart, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    assert chart.save(tmp_path / "x.json").stat().st_size > 0


def test_a_notebook_is_given_vega_lite_a_picture_and_words(chart: Chart) -> None:
    bundle = chart._repr_mimebundle_()
    assert set(bundle) == {"application/vnd.vegalite.v6+json", "image/svg+xml", "text/plain"}
    assert chart.description in bundle["text/plain"]


def test_a_notebook_without_the_extra_is_given_no_picture(
    chart: Chart, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    assert "image/svg+xml" not in chart._repr_mimebundle_()
