"""Pages of the network and of crops in a browser without a network: drawn, silent, reachable."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cimis import Store
from tests.pages.networks import make_network

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")

CROPS = """\
[crop.pasture]
title = "Pasture"
source = "own trials"
initial = { from = "02-01", to = "02-28", kc = 0.8 }
development = { from = "03-01", to = "03-31" }
mid = { from = "04-01", to = "10-31", kc = 0.8 }
late = { from = "11-01", to = "11-30", kc = 0.8 }
"""
DRAWN = "[...document.querySelectorAll('figure.chart')].every(f => f.dataset.drawn === 'yes')"
WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages, saved: of the network, of a county on a few days, and of crops."""
    place = tmp_path_factory.mktemp("pages")
    (place / "crops.toml").write_text(CROPS)
    with Store(make_network(place / "data")) as store:
        store.network_report(year=2021).save(place / "network.html")
        store.network_report("2021-06-01", "2021-06-20", county="Yolo").save(place / "county.html")
        crops = store.crop_report(place / "crops.toml", stations=[5, 6], end="2021-07-31")
        crops.save(place / "week.html")
    return place


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as driver:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        found = driver.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield found
        found.close()


class Opened:
    """A page in the browser, and what it said and asked for."""

    def __init__(self, browser: Browser, path: Path, **looks: Any) -> None:
        self.context = browser.new_context(offline=True, **looks)
        self.page: Page = self.context.new_page()
        self.said: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(path.as_uri())
        self.page.wait_for_function(DRAWN, timeout=60_000)


@pytest.fixture
def look(browser: Browser, folder: Path) -> Iterator[Any]:
    opened: list[Opened] = []

    def open_(name: str, width: int = 1280, scheme: str = "light") -> Opened:
        size = {"width": width, "height": 900}
        opened.append(Opened(browser, folder / name, viewport=size, color_scheme=scheme))
        return opened[-1]

    yield open_
    for one in opened:
        one.context.close()


@pytest.mark.parametrize("width", [1280, 380])
@pytest.mark.parametrize(("name", "charts"), [("network", 5), ("county", 5), ("week", 2)])
def test_every_chart_is_drawn_without_a_word_or_a_request(
    look: Any, folder: Path, name: str, charts: int, width: int
) -> None:
    """No message on the console, no request, nothing wider than the screen."""
    opened = look(f"{name}.html", width)
    assert opened.page.locator("figure.chart svg").count() == charts
    assert opened.said == []
    own = (folder / f"{name}.html").as_uri()
    assert [url for url in opened.asked if url != own and not url.startswith("data:")] == []
    assert opened.page.evaluate(WIDE) <= 0


def test_maps_have_a_mark_for_every_station_with_a_place(look: Any) -> None:
    """Four stations have coordinates: each is a point or a ring, over the counties' outlines."""
    figures = look("network.html").page.locator("figure[data-kind=map]")
    assert figures.count() == 4
    for place in range(4):
        svg = figures.nth(place).locator("svg")
        assert svg.locator(".mark-symbol.role-mark path").count() == 4
        outlines = svg.locator(".mark-shape path")
        assert outlines.count() == 58
        box = outlines.first.bounding_box()
        assert box["width"] * box["height"] > 10


def test_the_pointer_is_told_the_station_and_its_value(look: Any) -> None:
    page = look("network.html").page
    page.locator("figure[data-kind=map] .mark-symbol.role-mark path").nth(1).hover(force=True)
    told = page.locator("#tip").inner_text()
    assert "Number" in told
    assert "ETo (mm)" in told


@pytest.mark.parametrize("name", ["network", "county", "week"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_fault(look: Any, name: str, scheme: str) -> None:
    """By axe-core, in both colour schemes."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is missing")
    found = axe.Axe().run(look(f"{name}.html", scheme=scheme).page).response["violations"]
    serious = [one for one in found if one["impact"] in ("serious", "critical")]
    assert [(one["id"], one["nodes"][0]["html"][:200]) for one in serious] == []


def test_a_table_sorts_by_keyboard(look: Any) -> None:
    page = look("network.html").page
    head = page.locator("[data-key=ranking] th[data-name=rain] button")
    rain = "[data-key=ranking] tbody tr td:nth-child(7)"
    head.focus()
    page.keyboard.press("Enter")
    up = [float(text) for text in page.locator(rain).all_inner_texts()]
    page.keyboard.press("Enter")
    down = [float(text) for text in page.locator(rain).all_inner_texts()]
    assert up == sorted(up)
    assert down == sorted(up, reverse=True)
    assert len(set(up)) > 3


def test_the_weekly_page_of_a_station_prints_on_two_sheets(browser: Browser, folder: Path) -> None:
    opened = Opened(browser, folder / "week.html")
    printed = opened.page.pdf(format="Letter")
    opened.context.close()
    assert 1 <= printed.count(b"/Type /Page\n") <= 2
