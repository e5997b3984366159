"""Pages of the network and of crops in a browser without a network: drawn, silent, reachable."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cimis import Store
from tests.pages.browsing import shown
from tests.pages.networks import make_network

if TYPE_CHECKING:
    from playwright.sync_api import Browser

CROPS = """\
[crop.pasture]
title = "Pasture"
source = "own trials"
initial = { from = "02-01", to = "02-28", kc = 0.8 }
development = { from = "03-01", to = "03-31" }
mid = { from = "04-01", to = "10-31", kc = 0.8 }
late = { from = "11-01", to = "11-30", kc = 0.8 }
"""
WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages, saved: of the network, of a county on a few days, and of crops."""
    place = tmp_path_factory.mktemp("pages")
    (place / "crops.toml").write_text(CROPS)
    with Store(make_network(place / "data")) as store:
        store.network_report(year=2021).save(place / "network.html")
        store.network_report("2021-06-01", "2021-06-20", county="Yolo").save(place / "county.html")
        week = store.crop_report(place / "crops.toml", stations=[5, 6], end="2021-07-31")
        week.save(place / "week.html")
    return place


@pytest.mark.parametrize("width", [1280, 380])
@pytest.mark.parametrize(("name", "charts"), [("network", 5), ("county", 5), ("week", 2)])
def test_every_chart_is_drawn_without_a_word_or_a_request(
    browser: Browser, folder: Path, name: str, charts: int, width: int
) -> None:
    """No message on the console, no request, nothing wider than the screen."""
    path = folder / f"{name}.html"
    with shown(browser, path, width) as seen:
        assert seen.page.locator("figure.chart[data-drawn=yes] svg").count() == charts
        assert (seen.console, seen.errors) == ([], [])
        assert [url for url in seen.requests if not url.startswith("data:")] == [path.as_uri()]
        assert seen.page.evaluate(WIDE) <= 0


def test_maps_have_a_mark_for_every_station_with_a_place(browser: Browser, folder: Path) -> None:
    """Four stations have coordinates: each is a point or a ring, over the counties' outlines."""
    with shown(browser, folder / "network.html") as seen:
        figures = seen.page.locator("figure[data-kind=map]")
        assert figures.count() == 4
        for place in range(4):
            svg = figures.nth(place).locator("svg")
            assert svg.locator(".mark-symbol.role-mark path").count() == 4
            outlines = svg.locator(".mark-shape path")
            assert outlines.count() == 58
            box = outlines.first.bounding_box()
            assert box is not None
            assert box["width"] * box["height"] > 10


def test_the_pointer_is_told_the_station_and_its_value(browser: Browser, folder: Path) -> None:
    with shown(browser, folder / "network.html") as seen:
        points = seen.page.locator("figure[data-kind=map] .mark-symbol.role-mark path")
        points.nth(1).hover(force=True)
        told = seen.page.locator("#tip").inner_text()
    assert "Number" in told
    assert "ETo (mm)" in told


@pytest.mark.parametrize("name", ["network", "county", "week"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_fault(browser: Browser, folder: Path, name: str, scheme: str) -> None:
    """By axe-core, in both colour schemes."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is missing")
    with shown(browser, folder / f"{name}.html", color_scheme=scheme) as seen:
        found = axe.Axe().run(seen.page).response["violations"]
    serious = [one for one in found if one["impact"] in ("serious", "critical")]
    assert [(one["id"], one["nodes"][0]["html"][:200]) for one in serious] == []


def test_a_table_sorts_by_keyboard(browser: Browser, folder: Path) -> None:
    rain = "[data-key=ranking] tbody tr td:nth-child(7)"
    with shown(browser, folder / "network.html") as seen:
        page = seen.page
        page.locator("[data-key=ranking] th[data-name=rain] button").focus()
        page.keyboard.press("Enter")
        up = [float(text) for text in page.locator(rain).all_inner_texts()]
        page.keyboard.press("Enter")
        down = [float(text) for text in page.locator(rain).all_inner_texts()]
    assert up == sorted(up)
    assert down == sorted(up, reverse=True)
    assert len(set(up)) > 3


def test_the_weekly_page_of_two_stations_prints_on_two_sheets(
    browser: Browser, folder: Path
) -> None:
    with shown(browser, folder / "week.html") as seen:
        printed = seen.page.pdf(format="Letter")
    assert 1 <= printed.count(b"/Type /Page\n") <= 2
