"""The report in a browser without a network: drawn, quiet, reachable by keyboard, for everybody."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.pages.browsing import Seen, shown

if TYPE_CHECKING:
    from playwright.sync_api import Browser

KINDS = {
    "map": 1,
    "band": 3,
    "eto-rain": 1,
    "cumulated": 3,
    "clear-sky": 1,
    "gaps": 1,
}
"""The charts of a station's report, by kind."""

FEWER_ROWS = "document.querySelectorAll('tbody tr:nth-child(n + 9)').forEach((row) => row.remove())"
"""Rows of a table are alike, and hundreds of them take minutes to be looked at."""

FOCUSABLE = "a[href], button, summary, [tabindex='0']"


@pytest.fixture(scope="module")
def seen(browser: Browser, file: Path) -> Iterator[Seen]:
    with shown(browser, file) as found:
        yield found


def test_nothing_is_requested_but_the_file_and_nothing_goes_wrong(seen: Seen, file: Path) -> None:
    # the mark of the tab is empty and stands in the page itself
    assert [url for url in seen.requests if not url.startswith("data:")] == [file.as_uri()]
    assert seen.console == []
    assert seen.errors == []


def test_every_chart_is_drawn(seen: Seen) -> None:
    """Each has marks in the document, and in its picture colours beside those of the ground."""
    from PIL import Image

    charts = seen.page.locator("figure.chart")
    found: dict[str, int] = {}
    for place in range(charts.count()):
        chart = charts.nth(place)
        kind = chart.get_attribute("data-kind") or ""
        found[kind] = found.get(kind, 0) + 1
        assert chart.get_attribute("data-drawn") == "yes"
        assert chart.locator("svg g.mark-group").count() > 0
        marks = chart.locator("svg :is(.mark-line, .mark-symbol, .mark-rect, .mark-shape) path")
        assert marks.count() > 0, kind
        picture = Image.open(io.BytesIO(chart.locator(".canvas").screenshot())).convert("RGB")
        colours = picture.getcolors(1 << 24) or []
        ground = max(count for count, _ in colours)
        assert len(colours) > 10, kind
        assert sum(count for count, _ in colours) - ground > 1_000, kind
    assert found == KINDS


def test_days_are_drawn_where_they_are_whatever_the_clock(browser: Browser, file: Path) -> None:
    """The axis of a year begins with it in California and in Greenwich."""
    for zone in ("America/Los_Angeles", "Europe/London"):
        with shown(browser, file, timezone_id=zone) as found:
            labels = found.page.locator("figure[data-kind=band]").first.locator(
                ".role-axis-label text"
            )
            texts = labels.all_text_contents()
            assert texts[0] == "2023", zone
            assert "Feb" in texts


def test_charts_answer_to_the_pointer(seen: Seen) -> None:
    """The tip has the day, the value with its unit, and what is normal; it goes with Escape."""
    canvas = seen.page.locator("figure[data-kind=band] .canvas").first
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    tip = seen.page.locator("#tip")
    seen.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    for step in range(12):  # a day is three pixels wide
        seen.page.mouse.move(
            box["x"] + box["width"] / 2 + step, box["y"] + box["height"] / 2, steps=2
        )
        if tip.is_visible():
            break
    words = tip.inner_text()
    assert "day\n2023-0" in words or "day2023-0" in words, words
    assert "Reference ET (mm)" in words
    assert "90th percentile" in words
    seen.page.keyboard.press("Escape")
    assert not tip.is_visible()


def test_each_panel_tells_of_its_own_values(seen: Seen) -> None:
    """Under reference ET and under rain the pointer meets the total of that day of each."""
    chart = seen.page.locator("figure[data-kind=cumulated]").first
    told = chart.locator(".role-mark[class*=pointed] line").evaluate_all(
        "lines => lines.map((line) => line.__data__.datum.item)"
    )
    assert told == ["asce_eto"] * 365 + ["precip"] * 365


def test_the_keyboard_reaches_every_control(seen: Seen) -> None:
    page = seen.page
    page.evaluate("document.activeElement.blur()")
    page.evaluate("window.scrollTo(0, 0)")
    wanted = page.evaluate(
        f"""Array.from(document.querySelectorAll("{FOCUSABLE}"), (one, place) => {{
            one.dataset.place = place; return place; }})"""
    )
    reached: list[int] = []
    for _ in range(len(wanted) + 5):
        page.keyboard.press("Tab")
        place = page.evaluate("document.activeElement.dataset.place")
        if place is None or (reached and int(place) == reached[0]):
            break
        reached.append(int(place))
    assert reached == wanted


def test_a_table_sorts_from_the_keyboard(seen: Seen) -> None:
    """Up, then down; days without a value come last both ways."""
    table = seen.page.locator("[data-key=days]")
    head = table.locator("th[data-name=asce_eto]")
    place = head.evaluate("one => one.cellIndex") + 1

    def column() -> list[str]:
        texts: list[str] = table.locator(f"tbody tr > :nth-child({place})").evaluate_all(
            "cells => cells.map((one) => one.textContent.replace(/[A-Z]+$/, ''))"
        )
        return texts

    stored = [float(text) for text in column() if text]
    lacking = len(column()) - len(stored)
    assert lacking > 0
    head.locator("button").focus()
    for order, down in (("ascending", False), ("descending", True)):
        seen.page.keyboard.press("Enter")
        assert head.get_attribute("aria-sort") == order
        found = column()
        assert [float(text) for text in found[: len(stored)]] == sorted(stored, reverse=down)
        assert found[len(stored) :] == [""] * lacking
    table.locator("th[data-name=date] button").click()
    assert head.get_attribute("aria-sort") is None


def test_a_table_is_copied_as_a_spreadsheet_takes_it(browser: Browser, file: Path) -> None:
    with shown(browser, file, permissions=["clipboard-read", "clipboard-write"]) as found:
        table = found.page.locator("[data-key=days]")
        table.locator(".tools button").first.focus()
        found.page.keyboard.press("Enter")
        from playwright.sync_api import expect

        expect(found.page.locator("#said")).to_have_text("365 rows copied.")
        lines = found.page.evaluate("navigator.clipboard.readText()").splitlines()
    assert len(lines) == 366
    heads = lines[0].split("\t")
    assert heads[:2] == ["Date", "Mean air temperature [°C]"]
    assert lines[1].split("\t")[0] == "2023-01-01"
    assert {len(line.split("\t")) for line in lines} == {len(heads)}


def test_the_figures_of_a_chart_open_as_a_table(seen: Seen) -> None:
    chart = seen.page.locator("figure[data-kind=gaps]")
    chart.locator("summary").click()
    assert chart.locator("tbody tr").count() == 365
    assert chart.locator("tbody tr").first.inner_text().split("\t")[2] == "2023-01-01"
    chart.locator("summary").click()


@pytest.mark.parametrize("width", [1280, 380])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_fault_and_nothing_overflows(
    browser: Browser, file: Path, scheme: str, width: int
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is missing")
    with shown(browser, file, width, color_scheme=scheme) as found:
        found.page.locator("figure[data-kind=gaps] summary").click()
        wide = found.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert wide <= 0
        found.page.evaluate(FEWER_ROWS)
        options = {"resultTypes": ["violations"]}
        result: dict[str, Any] = axe.Axe().run(found.page, options=options).response
        faults = [
            (one["id"], [node["html"][:200] for node in one["nodes"]][:3])
            for one in result["violations"]
            if one["impact"] in ("serious", "critical")
        ]
        assert faults == []
        assert result["passes"]


def test_dark_is_a_matter_of_style_alone(seen: Seen) -> None:
    """Lines change their colour with the scheme, and paper is light, without a new drawing."""
    line = seen.page.locator("figure[data-kind=band] .mark-line path").last

    def colour() -> str:
        found: str = line.evaluate("one => getComputedStyle(one).stroke")
        return found

    light = colour()
    seen.page.emulate_media(color_scheme="dark")
    dark = colour()
    seen.page.emulate_media(color_scheme="dark", media="print")
    paper = colour()
    seen.page.emulate_media(color_scheme="light", media="screen")
    assert light == paper
    assert light != dark


def test_on_paper_tables_stand_whole_and_controls_are_left_out(seen: Seen) -> None:
    seen.page.emulate_media(media="print")
    scroll = seen.page.locator("[data-key=days] .scroll")
    assert scroll.evaluate("one => one.scrollHeight <= one.clientHeight")
    assert seen.page.locator("button:visible").count() == 0
    assert seen.page.locator("[data-key=days] thead th:visible").first.inner_text() == "Date"
    seen.page.emulate_media(media="screen")


def test_without_scripts_tables_and_texts_still_stand(browser: Browser, file: Path) -> None:
    with shown(browser, file, java_script_enabled=False) as found:
        assert "scripts are switched off" in found.page.locator("noscript").inner_text()
        assert found.page.locator("[data-key=days] tbody tr").count() == 365
        assert found.page.locator("button").count() == 0
        assert found.page.locator(".described").first.is_visible()
        assert found.errors == []
