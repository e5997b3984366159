"""What a notebook shows of stores, answers and reports: sound HTML, escaped, with true counts."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from cimis import CimisError, create
from cimis.pipeline.catalog.database import Catalog
from cimis.pipeline.emulator import Emulator, GeneratedSource
from cimis.pipeline.field.items import Scope
from cimis.pipeline.markup import Card, Sheet, cell, sized
from cimis.store import Store
from tests.queries.conftest import put, year_table

HOSTILE = "<script>alert('&')</script>"
SPAN: dict[str, Any] = {"start": "2021-03-20", "end": "2021-05-10"}
_VOID = frozenset({"br", "hr", "img", "input", "meta", "link"})


class Page(HTMLParser):
    """Reads a page strictly: tags must nest and end; keeps tables, texts and tags."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.captions: list[str] = []
        self.tables: list[list[list[str]]] = []
        self.scopes: list[str | None] = []
        self.notes: list[str] = []
        self.words = ""
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in _VOID
        self._open.append(tag)
        self.tags.add(tag)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")
            if tag == "th":
                self.scopes.append(dict(attrs).get("scope"))
        elif tag == "caption":
            self.captions.append("")
        elif tag == "li":
            self.notes.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data
        if "td" in self._open or "th" in self._open:
            self.tables[-1][-1][-1] += data
        elif "caption" in self._open:
            self.captions[-1] += data
        elif "li" in self._open:
            self.notes[-1] += data

    def facts(self) -> dict[str, str]:
        """The first table, of named figures."""
        return {row[0]: row[1] for row in self.tables[0]}


def page(shown: Any) -> Page:
    """Return what a notebook shows of an object, read; tables have captions, heads a scope."""
    found = Page(shown._repr_html_())
    assert len(found.captions) == len(found.tables)
    assert set(found.scopes) <= {"row", "col"}
    assert not found.tags & {"script", "style", "img", "a"}
    return found


@pytest.fixture
def odd(tmp_path: Path) -> Iterator[Store]:
    """A store whose one station has a name that a browser would run."""
    put(tmp_path, [year_table(Scope.DAILY, 5, 2021), year_table(Scope.DAILY, 5, 2022)])
    with Catalog(tmp_path) as catalog:
        catalog.put_stations([(5, HOSTILE, {"number": 5, "name": HOSTILE, "county": HOSTILE})])
    with create(tmp_path) as store:
        yield store


def test_a_store_shows_what_it_holds(odd: Store) -> None:
    found = page(odd)
    facts = found.facts()
    assert facts["holds"] == "1 station"
    assert facts["rows"] == "720 in 2 chunks"
    size = sum(path.stat().st_size for path in odd.root.glob("stations/*/*.zst"))
    assert facts["bytes"] == sized(size)
    assert facts["last stored"].endswith(" UTC")
    assert found.captions[0] == str(odd.root)
    assert found.tables[1][1][:5] == ["daily", "1", "2021-01-01", "2022-12-31", "720"]
    assert found.tables[2][1] == ["5", HOSTILE, HOSTILE, "2021-01-01", "2022-12-31"]


def test_a_store_of_nothing_and_a_lost_one_say_so(tmp_path: Path) -> None:
    with create(tmp_path / "new") as store:
        assert "nothing is stored yet" in page(store).notes[0]
        (tmp_path / "new" / "metadata.sqlite3").unlink()
        for path in (tmp_path / "new").glob("metadata.sqlite3*"):
            path.unlink()
        assert "Store at" in page(store).words


def test_many_stations_are_not_all_listed(tmp_path: Path) -> None:
    put(tmp_path, [year_table(Scope.DAILY, n, 2021, items="precip") for n in range(1, 15)])
    with create(tmp_path) as store:
        found = page(store)
    assert found.captions[2] == "Stations (showing 10 of 14 rows)"
    assert [row[0] for row in found.tables[2][1:]] == [str(n) for n in range(1, 11)]


def test_rows_show_the_first_with_units_and_how_many_there_are(store: Store) -> None:
    rows = store.query(stations=[2, 5, 999], items="air_tmp_avg,precip", units="english", **SPAN)
    found = page(rows)
    table = rows.table()
    assert found.captions == [f"showing 10 of {table.num_rows:,} rows"]
    heads = ["station", "date", "air_tmp_avg [°F]", "air_tmp_avg_qc", "precip [in]", "precip_qc"]
    assert found.tables[0][0] == heads
    due = [[cell(value) for value in row.values()] for row in table.slice(0, 10).to_pylist()]
    assert found.tables[0][1:] == due
    assert found.notes == [rows.lacks.text()]
    assert "999" in found.notes[0]


def test_a_limit_and_a_policy_are_told(store: Store) -> None:
    assert page(store.query(stations=2, limit=3)).captions == ["3 rows"]
    assert page(store.query(stations=2, limit=300)).captions == ["showing 10 of 300 rows"]
    notes = page(store.query(stations=2, qc="strict")).notes
    assert any("qc strict" in note for note in notes)


def test_an_answer_streams_past_and_shows_the_first(store: Store) -> None:
    answer = store.sql("select * from range(12_345) t(n)")
    found = page(answer)
    assert found.captions == ["showing 10 of 12,345 rows"]
    assert found.tables[0][1:] == [[str(n)] for n in range(10)]
    assert answer._table is None
    assert page(store.sql("select 1 as n where false")).captions == ["0 rows"]


def test_texts_of_an_answer_are_escaped(store: Store) -> None:
    found = page(store.sql(f'select $x as "{HOSTILE}"', {"x": HOSTILE}))
    assert found.tables == [[[HOSTILE], [HOSTILE]]]


def test_what_sql_fails_of_is_told_in_the_place_of_rows(store: Store) -> None:
    answer = store.sql("select error('no ' || station) from daily")
    assert "no " in page(answer).words


def test_sums_have_units(store: Store) -> None:
    found = page(store.every("year", stations="2,5", items="precip"))
    assert "precip [mm]" in found.tables[0][0]
    assert found.captions == ["6 rows"]


ANSWERS: dict[str, tuple[Callable[[Store], Any], str]] = {
    "degree_days": (
        lambda s: s.degree_days("50F", stations=2, scope="hourly", **SPAN),
        "degree_days [°F d]",
    ),
    "filled": (lambda s: s.filled("2,5", items="asce_eto", **SPAN), "asce_eto_source"),
    "chill": (lambda s: s.chill(2022, stations="2"), "chill_portions"),
    "qc": (lambda s: s.qc(stations="2,5", **SPAN), "verdict"),
    "gaps": (lambda s: s.gaps("2,5", items="asce_eto"), "complete"),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_reckoned_answers_are_shown_with_what_they_lack(store: Store, name: str) -> None:
    ask, head = ANSWERS[name]
    answer = ask(store)
    found = page(answer)
    assert head in found.tables[-1][0]
    assert 1 < len(found.tables[-1]) <= 11
    if answer.lacks:
        assert answer.lacks.text() in found.notes
    line = repr(answer)
    assert line.startswith(f"<{type(answer).__name__}: ")
    assert len(line) < 600
    assert "\n" not in line


def test_gaps_count_what_is_complete(store: Store) -> None:
    answer = store.gaps("2,5,7", items="asce_eto,precip")
    due = sorted(answer, key=lambda one: one.share)
    found = page(answer)
    assert [(r[0], r[1], r[3], r[4]) for r in found.tables[0][1:]] == [
        (str(one.station), one.item, str(one.absent), str(one.missing)) for one in due
    ]


# reports


@pytest.fixture(scope="module")
def service() -> Any:
    with Emulator(GeneratedSource()) as emulator:
        yield emulator


def _to(service: Emulator) -> dict[str, Any]:
    return {"base_url": service.base_url, "app_key": service.app_key}


def test_a_fetch_tells_its_counts(tmp_path: Path, service: Emulator) -> None:
    with create(tmp_path / "d") as store:
        report = store.fetch([2, 80], start="2024-01-01", end="2024-03-31", **_to(service))
        found = page(report)
        facts = found.facts()
        assert found.captions[0] == "Fetch of daily rows, 2024-01-01 to 2024-03-31: complete"
        assert facts["stations"] == "2 of 2"
        assert facts["rows"] == "182 of 182 asked for"
        assert facts["new, filled, revised"] == "182, 0, 0"
        assert repr(report).startswith("<RunReport: Fetch of daily rows")
        again = store.fetch([2, 80], start="2024-01-01", end="2024-03-31", **_to(service))
        assert page(again).facts()["not asked for"] == "182 days, stored and final"


def test_a_failed_fetch_tells_who_why_and_what_to_do(tmp_path: Path, service: Emulator) -> None:
    with create(tmp_path / "d") as store, pytest.raises(CimisError) as caught:
        store.fetch(2, start="2024-01-01", end="2024-01-31", base_url=service.base_url, app_key="x")
    found = page(caught.value.report)
    assert "refuses the API key" in found.captions[0]
    assert found.captions[1] == "Failed (1 row)"
    assert found.tables[1][1][:2] == ["2", "2024"]
    assert any(note.startswith("next: ") for note in found.notes)


def test_texts_of_a_report_are_escaped(tmp_path: Path, service: Emulator) -> None:
    with create(tmp_path / "d") as store:
        report = store.fetch(2, start="2024-01-01", end="2024-01-31", **_to(service))
    report.warnings.append(HOSTILE)
    assert HOSTILE in page(report).notes


def test_a_sync_shows_each_of_its_runs(tmp_path: Path, service: Emulator) -> None:
    with create(tmp_path / "d") as store:
        store.fetch(2, start="2026-10-01", end="2026-10-31", **_to(service))
        reports = store.sync(**_to(service))
        assert page(reports).captions[0].startswith("Fetch of daily rows")
        assert isinstance(reports, list)


def test_a_verdict_names_faults_and_the_next_step(odd: Store) -> None:
    assert page(odd.verify()).captions[0] == "Sound"
    path = odd.root / "stations/005/2021_daily.zst"
    path.write_bytes(path.read_bytes()[:-9] + b"damaged!!")
    found = page(odd.verify())
    assert found.captions[:2] == ["Not sound: 1 fault", "Found (1 row)"]
    assert found.tables[1][1][0] == "stations/005/2021_daily.zst"
    assert "verify(repair=True)" in found.notes[-1]
    assert repr(odd.verify()).startswith("<Verdict: Not sound: 1 fault; chunks ")


def test_a_migration_tells_sizes_and_losses(odd: Store) -> None:
    done = odd.migrate("v1", dry_run=True)
    facts = page(done).facts()
    assert facts["chunks"] == "2"
    assert facts["bytes before"] == sized(sum(c.bytes_before for c in done.chunks))
    assert "precip" in facts["lost"]
    assert "\n" not in repr(done)


def test_an_import_tells_what_it_left_out(odd: Store, tmp_path: Path) -> None:
    import zipfile

    folder = tmp_path / "in"
    folder.mkdir()
    with zipfile.ZipFile(folder / "dailyStns2020.zip", "w") as archive:
        archive.writestr("daily005.csv", "5,1/1/2020,1" + ",1.0, " * 14 + "\n")
    (folder / "<b>.txt").write_text("not an archive")
    found = page(odd.import_archive(folder))
    assert found.facts()["rows"] == "1, 1 of them new"
    assert found.tables[1][1][0].endswith("<b>.txt")


# what is common to them


def test_values_read_as_people_write_them() -> None:
    assert [cell(v) for v in (None, float("nan"), 8.1, 0.1 + 0.2, True, 2024, "x")] == [
        *("–", "–", "8.1", "0.3", "yes", "2024", "x"),
    ]
    assert [sized(n) for n in (1, 999, 1000, 25_700, 3_400_000, 7e12)] == [
        *("1 byte", "999 bytes", "1 kB", "25.7 kB", "3.4 MB", "7 TB"),
    ]


def test_every_text_of_a_card_is_escaped() -> None:
    sheet = Sheet(HOSTILE, (HOSTILE,), [(HOSTILE,)])
    card = Card(HOSTILE, HOSTILE, {HOSTILE: HOSTILE}, (sheet,), (HOSTILE,))
    assert "<script" not in card.html()
    assert Page(card.html()).words.count(HOSTILE) == 7


def test_opening_a_store_loads_nothing_for_it() -> None:
    heavy = ("numpy", "pandas", "xarray", "pyarrow", "polars", "duckdb", "jinja2")
    code = f"import sys, cimis.store; print([n for n in {heavy} if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
