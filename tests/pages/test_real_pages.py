"""Pages and plots of the network's own archive: drawn in a browser, small, with its own figures."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from cimis import Store, create
from cimis.pipeline.catalog.database import Catalog
from cimis.pipeline.service.stations import parse_stations
from tests.modules import ROOT
from tests.pages.browsing import shown
from tests.pages.reading import Reading

if TYPE_CHECKING:
    from playwright.sync_api import Browser

REAL = ROOT.parent / "shared" / "real"
ARCHIVE, LISTED = REAL / "ftp/dailyStns2018.zip", REAL / "api/stations/legacy_all_stations.json"
MOST_BYTES = 1_500_000

pytestmark = pytest.mark.skipif(
    not (ARCHIVE.is_file() and LISTED.is_file()), reason="the network's archive is not here"
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """The network's year 2018, with its list of stations."""
    made = create(tmp_path_factory.mktemp("real") / "data")
    made.import_archive(ARCHIVE)
    with Catalog(made.root) as catalog:
        listed = parse_stations(LISTED.read_bytes())
        catalog.put_stations((one.number, one.name, _facts(one)) for one in listed)
    return made


def _facts(station: Any) -> dict[str, Any]:
    facts = dataclasses.asdict(station)
    return {n: f"{v}" if isinstance(v, dt.date) else v for n, v in facts.items()}


def _read(path: Path) -> Reading:
    return Reading(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def pages(store: Store, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages of Davis and of the network, saved."""
    folder = tmp_path_factory.mktemp("pages")
    store.report(6, year=2018).save(folder / "station.html")
    store.network_report(year=2018).save(folder / "network.html")
    return folder


@pytest.mark.parametrize("width", [1280, 380])
@pytest.mark.parametrize("name", ["station", "network"])
def test_every_chart_is_drawn_in_silence(
    browser: Browser, pages: Path, name: str, width: int
) -> None:
    path = pages / f"{name}.html"
    assert path.stat().st_size < MOST_BYTES
    with shown(browser, path, width) as seen:
        charts = seen.page.locator("figure.chart")
        assert charts.count() > 3
        assert seen.page.locator("figure.chart[data-drawn=yes] svg").count() == charts.count()
        assert (seen.console, seen.errors) == ([], [])
        assert [url for url in seen.requests if not url.startswith("data:")] == [path.as_uri()]


@pytest.mark.parametrize(("name", "scheme"), [("station", "dark"), ("network", "light")])
def test_axe_finds_no_serious_fault(browser: Browser, pages: Path, name: str, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is missing")
    with shown(browser, pages / f"{name}.html", color_scheme=scheme) as seen:
        found = axe.Axe().run(seen.page).response["violations"]
    assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == []


@pytest.mark.parametrize("column", ["eto", "precip", "air_tmp_avg"])
def test_the_days_on_the_page_are_those_of_the_store(
    store: Store, pages: Path, column: str
) -> None:
    rows = _read(pages / "station.html").tables["days"]
    told = [_number(row[column]) for row in rows]
    stored = store.daily(6, "2018-01-01", "2018-12-31")[column].to_list()
    assert len(told) == 365
    assert told == stored


def _number(text: str) -> float | None:
    """Return the figure of a cell, which may have a flag behind it; None where there is none."""
    found = re.match(r"−?[\d.]+", text.strip())
    return None if found is None else float(found[0].replace("−", "-"))


@pytest.mark.parametrize("suffix", ["png", "svg"])
@pytest.mark.parametrize(
    ("kind", "asked"),
    [
        ("series", {"stations": 6, "items": "eto,air_tmp_avg"}),
        ("eto-rain", {"stations": 6}),
        ("gaps", {"stations": [2, 6]}),
        ("scatter", {"stations": [2, 6], "items": "eto"}),
    ],
)
def test_plots_are_drawn_to_files(
    store: Store, tmp_path: Path, kind: str, asked: dict[str, object], suffix: str
) -> None:
    pytest.importorskip("vl_convert", reason="the extra [plot] is not installed")
    chart = store.plot(kind, start="2018-01-01", end="2018-12-31", **asked)  # type: ignore[arg-type]
    path = tmp_path / f"plot.{suffix}"
    chart.save(path)
    begins = path.read_bytes()[:5]
    assert begins == (b"\x89PNG\r" if suffix == "png" else b"<svg ")


def test_sums_on_the_network_page_are_those_of_the_archive(store: Store, pages: Path) -> None:
    rows = _read(pages / "network.html").tables["ranking"]
    frame = store.daily(None, "2018-01-01", "2018-12-31", items="eto", qc="drop-severe")
    sums = dict(frame.group_by("station").agg(pl.col("eto").sum()).iter_rows())
    totals = {int(row["station"]): _number(row["eto"]) for row in rows}
    told = {number: total for number, total in totals.items() if total is not None}
    assert len(told) > 50
    assert told == {number: pytest.approx(sums[number], abs=0.06) for number in told}
