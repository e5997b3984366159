"""Figures on the report's page are those of the commands, and of rows read from the chunks."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import math
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

from cimis import read_chunk
from tests.cli.conftest import typed
from tests.pages.browsing import Seen, shown
from tests.pages.conftest import STATION, YEAR
from tests.pages.reading import Reading

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.cli.conftest import Typed

__all__ = ["typed"]

FIRST, LAST = dt.date(YEAR, 1, 1), dt.date(YEAR, 12, 31)
DAYS = ("--station", str(STATION), "--year", str(YEAR))
CHILL_BELOW_C = (45 - 32) / 1.8


@pytest.fixture(autouse=True)
def _placed(grown: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CIMIS_DATA_DIR", str(grown))


@pytest.fixture(scope="module")
def seen(browser: Browser, file: Path) -> Iterator[Seen]:
    with shown(browser, file) as found:
        yield found


@pytest.fixture(scope="module")
def page(file: Path) -> Reading:
    return Reading(file.read_text())


@pytest.fixture(scope="module")
def stored(grown: Path) -> pl.DataFrame:
    """All daily rows, read from the chunk files alone."""
    return chunks(grown, "daily")


def chunks(grown: Path, scope: str) -> pl.DataFrame:
    paths = sorted(grown.glob(f"stations/{STATION:03}/*_{scope}.zst"))
    return pl.concat([pl.DataFrame(read_chunk(path)) for path in paths], how="diagonal_relaxed")


def tile(seen: Seen, key: str) -> float:
    value = seen.page.locator(f"[data-key='{key}-{STATION}']").get_attribute("data-value")
    assert value is not None
    return float(value)


def rows_of(answer: Any) -> list[dict[str, str]]:
    assert answer.code == 0, answer.err
    return list(csv.DictReader(io.StringIO(answer.out)))


def test_sums_are_those_of_the_query_and_of_the_chunks(
    seen: Seen, stored: pl.DataFrame, typed: Typed
) -> None:
    items = "asce_eto,precip,air_tmp_avg"
    (year,) = rows_of(typed("query", *DAYS, "--items", items, "--every", "year", "--format", "csv"))
    own = stored.filter(pl.col("date").is_between(FIRST, LAST))
    for key, column in (("eto-total", "asce_eto"), ("rain-total", "precip")):
        assert tile(seen, key) == pytest.approx(float(year[column]), abs=0.005)
        assert tile(seen, key) == pytest.approx(own[column].sum(), abs=1e-6)
    assert tile(seen, "mean-temperature") == pytest.approx(own["air_tmp_avg"].mean(), abs=1e-6)
    assert tile(seen, "mean-temperature") == pytest.approx(float(year["air_tmp_avg"]), abs=0.05)


def test_extremes_and_counts_are_those_of_the_chunks(seen: Seen, stored: pl.DataFrame) -> None:
    own = stored.filter(pl.col("date").is_between(FIRST, LAST))
    assert tile(seen, "hottest") == own["air_tmp_max"].max()
    assert tile(seen, "coldest") == own["air_tmp_min"].min()
    assert tile(seen, "days") == own.height
    items = [name.removesuffix("_qc") for name in own.columns if name.endswith("_qc")]
    flagged = sum(
        own.filter(pl.col(f"{name}_qc").is_not_null() & pl.col(name).is_not_null()).height
        for name in items
    )
    assert tile(seen, "flagged") == flagged


def test_the_table_of_days_is_the_answer_of_cimis_query(seen: Seen, typed: Typed) -> None:
    """Every value and every flag, as the browser shows them."""
    asked = rows_of(typed("query", *DAYS, "--format", "csv"))
    table = seen.page.locator("[data-key=days]")
    names = table.locator("thead th").evaluate_all("all => all.map((one) => one.dataset.name)")
    cells = table.locator("tbody tr").evaluate_all(
        """rows => rows.map((row) => Array.from(row.cells, (cell) => {
            const flag = cell.querySelector('sup');
            const text = cell.textContent;
            return flag ? [text.slice(0, -flag.textContent.length), flag.textContent] : [text, ''];
        }))"""
    )
    assert len(cells) == len(asked) == 365
    assert {f"{name}_qc" for name in names[1:]} <= asked[0].keys()
    for shown_row, row in zip(cells, asked, strict=True):
        for name, (text, flag) in zip(names, shown_row, strict=True):
            if name == "date":
                assert text == row[name]
                continue
            value = float(text.replace("\N{MINUS SIGN}", "-")) if text else None
            assert value == (float(row[name]) if row[name] else None)
            assert flag == row[f"{name}_qc"]


def test_bands_are_the_percentiles_of_cimis_normals(page: Reading, typed: Typed) -> None:
    normals = {
        (int(row["month"]), int(row["day"])): row
        for row in rows_of(
            typed("normals", "--station", STATION, "--items", "air_tmp_max", "--format", "csv")
        )
    }
    chart = next(c for c in page.charts if c["kind"] == "band" and "Highest" in str(c["spec"]))
    columns = chart["columns"]
    assert len(columns["time"]) == 365
    for place, text in enumerate(columns["time"]):
        day = dt.date.fromisoformat(text)
        normal = normals[day.month, day.day]
        for ours, theirs in (("p10", "p10"), ("median", "p50"), ("p90", "p90")):
            assert columns[ours][place] == pytest.approx(float(normal[theirs]), rel=1e-5)


def test_running_totals_end_in_the_sums_of_other_years(
    page: Reading, stored: pl.DataFrame, seen: Seen
) -> None:
    """The median is that of sums whose missing and flagged days have that day's mean."""
    chart = next(c for c in page.charts if c["kind"] == "cumulated" and "precip" in str(c["spec"]))
    rows = pl.DataFrame(chart["columns"]).filter(pl.col("item") == "precip")
    assert rows["total"].drop_nulls()[-1] == pytest.approx(tile(seen, "rain-total"), rel=1e-5)
    plain = pl.col("precip_qc").is_null()
    grid = (
        stored.filter(pl.col("date") < FIRST)
        .with_columns(pl.when(plain).then("precip").alias("value"))
        .with_columns(year=pl.col("date").dt.year(), place=pl.col("date").dt.ordinal_day())
        .filter(pl.col("place") <= 365)
    )
    enough = grid.group_by("year").agg(pl.col("value").count()).filter(pl.col("value") >= 0.9 * 365)
    whole = grid.filter(pl.col("year").is_in(enough["year"].to_list())).with_columns(
        pl.col("value").fill_null(pl.col("value").mean().over("place")).fill_null(0.0)
    )
    sums = whole.group_by("year").agg(pl.col("value").sum())["value"].to_numpy()
    assert len(sums) >= 5
    for name, share in (("p10", 10), ("median", 50), ("p90", 90)):
        assert rows[name][-1] == pytest.approx(np.percentile(sums, share), rel=1e-5)


def test_degree_days_are_those_of_the_command(seen: Seen, page: Reading, typed: Typed) -> None:
    rows = rows_of(typed("degree-days", *DAYS, "--low", "10C", "--high", "30C", "--format", "csv"))
    assert tile(seen, "degree-days") == float(rows[-1]["degree_days_total"])
    chart = next(c for c in page.charts if '"heat"' in json.dumps(c["columns"]))
    totals = [None if row["degree_days"] == "" else row for row in rows]
    for ours, row in zip(chart["columns"]["total"], totals, strict=True):
        if row is None:
            assert ours is None
        else:
            assert ours == pytest.approx(float(row["degree_days_total"]), rel=1e-5)


def test_chill_is_that_of_the_command_and_of_the_hours(
    seen: Seen, page: Reading, grown: Path, typed: Typed
) -> None:
    (row,) = rows_of(typed("chill", "--station", STATION, "--winter", YEAR, "--format", "csv"))
    assert tile(seen, "chill-portions") == float(row["chill_portions"])
    shown_rows = {one["what"]: one for one in page.tables["chill"]}
    hours = chunks(grown, "hourly").filter(
        pl.col("date").is_between(dt.date(YEAR - 1, 11, 1), dt.date(YEAR, 2, 28))
    )
    cold = hours.filter(
        (pl.col("air_tmp") < CHILL_BELOW_C)
        & ~pl.col("air_tmp_qc").cast(pl.String).fill_null("").is_in(["I", "M", "S"])
    ).height
    assert int(shown_rows["Hours below 45 °F"]["sum"]) == int(row["hours_below_45f"]) == cold
    chart = next(c for c in page.charts if "chill_portions" in str(c["spec"]))
    drawn = pl.DataFrame(chart["columns"])
    for item, name in (("chill_portions",) * 2, ("hours_below_45f",) * 2):
        last = drawn.filter(pl.col("item") == item)["total"].drop_nulls()[-1]
        assert last == pytest.approx(float(row[name]), abs=0.006)


def test_a_clear_sky_and_its_factors_are_those_of_the_check(page: Reading, typed: Typed) -> None:
    """The factors' worst is the finding of ``cimis qc``; the line follows the sun."""
    found = rows_of(typed("qc", *DAYS, "--checks", "drift", "--format", "csv"))
    drift = next(row for row in found if row["rule"] == "drift")
    factors = [float(row["factor"]) for row in page.tables["clear-sky"] if row["factor"]]
    assert len(factors) == int(drift["judged"])
    if drift["worst"]:
        assert any(math.isclose(factor, float(drift["worst"]), abs_tol=6e-4) for factor in factors)
    columns = next(c for c in page.charts if c["kind"] == "clear-sky")["columns"]
    clear = dict(zip(columns["time"], columns["clear"], strict=True))
    june = [value for day, value in clear.items() if day[5:7] == "06" and value is not None]
    december = [value for day, value in clear.items() if day[5:7] == "12" and value is not None]
    assert min(june) > 2 * max(december)


def test_completeness_is_that_of_cimis_gaps(page: Reading, typed: Typed) -> None:
    rows = rows_of(typed("gaps", *DAYS))
    shown_rows = page.tables["completeness"]
    assert len(rows) == len(shown_rows)
    for ours, theirs in zip(shown_rows, rows, strict=True):
        for name in ("expected", "absent", "missing"):
            assert int(ours[name]) == int(theirs[name])


def test_flags_are_counted_as_they_are_stored(page: Reading, stored: pl.DataFrame) -> None:
    own = stored.filter(pl.col("date").is_between(FIRST, LAST))
    rain = next(row for row in page.tables["flags"] if row["item"] == "Rain")
    counts = dict(own["precip_qc"].drop_nulls().cast(pl.String).value_counts().iter_rows())
    assert {k: int(v) for k, v in rain.items() if v and k not in ("item", "all")} == counts


def test_sources_are_those_of_the_catalog(page: Reading, grown: Path) -> None:
    from cimis.pipeline.catalog.database import Catalog

    with Catalog(grown) as catalog:
        held = {
            chunk.path: chunk
            for chunk in catalog.chunks(stations=[STATION], first_year=YEAR, last_year=YEAR)
        }
    shown_rows = {row["path"]: row for row in page.tables["provenance"]}
    assert shown_rows.keys() == held.keys()
    for path, row in shown_rows.items():
        assert row["checksum"] == held[path].checksum
        assert row["fetched"].replace(" ", "T") in held[path].fetched_at
        assert int(row["rows"]) == held[path].rows


def test_every_command_on_the_page_runs(
    seen: Seen, typed: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: Path
) -> None:
    """The first of them makes the same page again; what fetches has an option to show its plan."""
    monkeypatch.chdir(tmp_path)
    lines = seen.page.locator(".commands code").all_inner_texts()
    assert len(lines) > 6
    for line in lines:
        words = shlex.split(line)
        assert words[0] == "cimis"
        if words[1] in ("sync", "fetch"):
            words.append("--help")
        answer = typed(*words[1:])
        assert answer.code == 0, (line, answer.err)
    again = (tmp_path / "report.html").read_text()
    made = Reading(again)
    assert made.tables == Reading(file.read_text()).tables
    assert (tmp_path / "days.csv").read_text().count("\n") == 366
