"""Excel, Markdown and HTML from the command line: every command that gives rows, limits, origin."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest

from cimis.cli.app import COMMANDS
from cimis.cli.main import run
from cimis.pipeline.catalog.database import Catalog
from cimis.pipeline.emulator import Emulator, GeneratedSource
from cimis.pipeline.field.items import Scope
from tests.cli.conftest import ROOT
from tests.queries.conftest import put, year_table
from tests.readers import of_html, of_markdown

if TYPE_CHECKING:
    from tests.cli.conftest import Typed

ITEMS = (
    "air_tmp_avg,air_tmp_max,air_tmp_min,sol_rad_avg,vap_pres_avg,wind_spd_avg,precip,asce_eto,"
    "rel_hum_max"
)
MONTH = ("--stations", "2,80", "--month", "2021-06")
NAMES = {2: "FivePoints", 80: "<b>Fresno | State</b>"}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six years of two stations, with the network's list."""
    place = tmp_path_factory.mktemp("saved")
    years = [(number, year) for number in NAMES for year in range(2016, 2022)]
    put(place, [year_table(Scope.DAILY, *each, items=ITEMS) for each in years])
    put(place, [year_table(Scope.HOURLY, number, 2021, items="air_tmp") for number in NAMES])
    facts = {"county": "Fresno", "active": True, "connected": "1982-06-07", "disconnected": None}
    where = {"latitude": 36.3, "longitude": -120.1, "elevation_m": 86.9}
    with Catalog(place) as catalog:
        catalog.put_stations(
            (n, name, {"number": n, "name": name, **facts, **where}) for n, name in NAMES.items()
        )
    return place


@pytest.fixture
def data(root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CIMIS_DATA_DIR", str(root))
    return root


GIVE_ROWS: dict[str, tuple[str, ...]] = {
    "query": ("query", *MONTH),
    "sql": ("sql", "select station, date, asce_eto from daily where date < '2016-02-01'"),
    "stats": ("stats", "--by", "year"),
    "gaps": ("gaps", *MONTH),
    "eto": ("eto", *MONTH),
    "qc": ("qc", *MONTH, "--checks", "range"),
    "fill": ("fill", *MONTH, "--items", "air_tmp_max", "--sources", "network,normal"),
    "degree-days": ("degree-days", *MONTH, "--low", "50F"),
    "chill": ("chill", "--stations", "2,80", "--start", "2021-01-01", "--end", "2021-01-31"),
    "normals": ("normals", "--station", "80", "--items", "precip"),
    "crop-et": ("crop-et", "--landscape", "2500,0.5", *MONTH, "--total-from", "2021-06-01"),
    "stations": ("stations",),
    "items": ("items",),
    "flags": ("flags",),
    "zip-codes": ("zip-codes", "--zip", "93624,95616"),
}
MORE: dict[str, tuple[str, ...]] = {
    "query every": ("query", *MONTH, "--every", "week"),
    "query against": ("query", *MONTH, "--items", "asce_eto", "--compare", "normal"),
    "gaps runs": ("gaps", "--stations", "2,80", "--runs"),
    "eto compare": ("eto", *MONTH, "--agreement"),
    "sql list": ("sql", "--list"),
}
NO_ROWS = {
    **dict.fromkeys(("demo", "init", "emulator", "serve-metrics", "completion"), "makes, serves"),
    **dict.fromkeys(("fetch", "sync", "import"), "reports of a run"),
    **dict.fromkeys(("verify", "migrate", "compact"), "reports of a run"),
    **dict.fromkeys(("cache", "config", "version", "inspect"), "facts of the installation, a file"),
    "doctor": "lines of an examination",
    "profile": "what another command gives",
    "help": "texts",
    "export-model": "files of models",
    "export": "files for engines",
    "plot": "pictures",
    "report": "pages",
}


def test_no_command_is_forgotten() -> None:
    assert sorted([*GIVE_ROWS, *NO_ROWS]) == sorted(COMMANDS)


@pytest.fixture(scope="module")
def service() -> Any:
    with Emulator(GeneratedSource()) as emulator:
        yield emulator


def plain(value: Any) -> str:
    """Return a cell as CSV would print it, whatever form it came from."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).replace("T", " ").removesuffix(" 00:00:00")


def cells(path: Path) -> list[list[str]]:
    """Return the rows of a saved table, without its head."""
    if path.suffix == ".xlsx":
        sheet = openpyxl.load_workbook(path)["Data"]
        return [[plain(v) for v in row] for row in sheet.iter_rows(min_row=2, values_only=True)]
    text = path.read_text()
    rows = of_markdown(text)[0] if path.suffix == ".md" else of_html(text).tables[0]
    return [[plain(cell) for cell in row] for row in rows[1:]]


def numbered(rows: list[list[str]]) -> list[list[str | float]]:
    """Return rows with their numbers as such: 1.0 is 1, 1e-05 is 0.00001."""

    def number(cell: str) -> str | float:
        try:
            return float(cell)
        except ValueError:
            return cell

    return [[number(cell) for cell in row] for row in rows]


@pytest.mark.parametrize("name", [*GIVE_ROWS, *MORE])
def test_every_command_that_gives_rows_saves_the_same_ones_in_each_form(
    name: str,
    data: Path,
    service: Emulator,
    typed: Typed,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CIMIS_BASE_URL", service.base_url)
    monkeypatch.setenv("CIMIS_APP_KEY", service.app_key)
    words = (GIVE_ROWS | MORE)[name]
    assert typed(*words, "-o", tmp_path / "x.ndjson").code == 0
    lines = [json.loads(line) for line in (tmp_path / "x.ndjson").read_text().splitlines()]
    due = numbered([[plain(value) for value in line.values()] for line in lines])
    assert due
    for suffix in ("xlsx", "md", "html"):
        answer = typed(*words, "-o", tmp_path / f"x.{suffix}")
        assert (answer.code, answer.out) == (0, "")
        assert f"wrote {len(due):,} rows" in answer.err
        assert numbered(cells(tmp_path / f"x.{suffix}")) == due, suffix


@pytest.mark.parametrize("name", [*GIVE_ROWS, "gaps runs", "sql list"])
@pytest.mark.parametrize("form", ["table", "csv", "json", "md"])
def test_a_limit_is_said_whatever_the_command_and_the_form(
    name: str,
    form: str,
    data: Path,
    service: Emulator,
    typed: Typed,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CIMIS_BASE_URL", service.base_url)
    monkeypatch.setenv("CIMIS_APP_KEY", service.app_key)
    words = (GIVE_ROWS | MORE)[name]
    whole = typed(*words, "--format", "json")
    rows = len(json.loads(whole.out))
    assert "by --limit" not in whole.err
    answer = typed(*words, "--format", form, "--limit", "1")
    assert answer.code == 0
    assert "by --limit" in answer.err
    if name != "gaps runs":  # JSON has the runs within the items
        assert f"1 of {rows:,} rows, by --limit" in answer.err
    if form == "json":
        assert len(json.loads(answer.out)) == 1


def test_rows_beyond_a_limit_are_counted_up_to_a_bound(
    data: Path, typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cimis.cli.showing.answers.MOST_COUNTED", 100)
    monkeypatch.setattr("cimis.cli.showing.answers.MOST_PLAIN", 10)
    answer = typed("sql", "from daily", "--limit", "5", "--format", "csv")
    assert len(answer.out.splitlines()) == 6
    assert "5 of more than " in answer.err


def test_more_rows_than_are_formed_plainly_come_all(data: Path, typed: Typed) -> None:
    """What is left of the first try does not stand in the way of the second."""
    answer = typed("sql", "select a.date from daily a, range(6)", "--format", "csv")
    assert (answer.code, answer.err) == (0, "")
    (count,) = json.loads(typed("sql", "select count(*) * 6 n from daily", "--json").out)
    assert len(answer.out.splitlines()) - 1 == count["n"] > 10_000


def test_with_json_a_limit_is_an_object_aside(data: Path, typed: Typed) -> None:
    answer = typed("flags", "--json", "--limit", "2")
    assert json.loads(answer.err) == {"limited": {"given": 2, "rows": 17}}


def about(path: Path) -> dict[str, str]:
    sheet = openpyxl.load_workbook(path)["About"]
    return {str(a): str(b) for a, b, _ in sheet.iter_rows(values_only=True)}


def test_a_workbook_says_what_was_asked_and_what_lacks(
    data: Path, typed: Typed, tmp_path: Path
) -> None:
    target = tmp_path / "x.xlsx"
    words = ("--stations", "2,80,999", "--month", "2021-04", "--qc", "strict", "--limit", "3")
    answer = typed("query", *words, "--items", "asce_eto,eto", "-o", target)
    facts = about(target)
    assert facts["Command"] == (
        "cimis query --stations 2,80,999 --month 2021-04 --items asce_eto,eto --qc strict --limit 3"
    )
    for lack in ("stations with no row: 999", "nothing holds eto", "3 of "):
        assert lack in facts["Less than asked"]
        assert lack in answer.err
    assert facts["Flag policy"].startswith("strict")
    assert "PST by cimis" in facts["Made"]
    assert facts["2"] == "FivePoints"


def test_names_of_stations_are_looked_up(data: Path, typed: Typed, tmp_path: Path) -> None:
    typed("query", *MONTH, "-o", tmp_path / "x.xlsx")
    assert {n: about(tmp_path / "x.xlsx")[str(n)] for n in NAMES} == NAMES
    typed("query", *MONTH, "-o", tmp_path / "x.html")
    stations = of_html((tmp_path / "x.html").read_text()).tables[3]
    assert stations[1:] == [[str(n), name] for n, name in NAMES.items()]


def test_the_question_in_sql_is_told_and_the_key_is_not(
    data: Path, service: Emulator, typed: Typed, tmp_path: Path
) -> None:
    text = "select station, asce_eto from daily limit 3"
    typed("sql", text, "-o", tmp_path / "x.xlsx")
    assert about(tmp_path / "x.xlsx")["Question"] == text
    key = ("--app-key", service.app_key, "--base-url", service.base_url)
    answer = typed("zip-codes", "--zip", "93624", *key, "-o", tmp_path / "z.html")
    assert answer.code == 0, answer.err
    assert service.app_key not in (tmp_path / "z.html").read_text()


def test_units_are_in_the_head_of_what_people_read(
    data: Path, typed: Typed, tmp_path: Path
) -> None:
    words = ("query", *MONTH, "--items", "asce_eto", "--units", "english")
    assert (
        typed(*words, "--format", "md").out.splitlines()[0].split(" | ")[2] == "asce_eto \\[in\\]"
    )
    typed(*words, "-o", tmp_path / "x.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "x.xlsx")["Data"]
    assert sheet["C1"].value == "asce_eto [in]"
    assert sheet["C2"].number_format == "0.00"


@pytest.mark.parametrize("form", ["xlsx", "html"])
def test_a_reader_that_leaves_is_no_error(form: str, data: Path) -> None:
    code = f"from cimis.cli.main import main; main(['query', '--format', {form!r}])"
    with subprocess.Popen(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(ROOT), "CIMIS_DATA_DIR": str(data), "CIMIS_CACHE": "0"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        child.stdout.read(10)
        child.stdout.close()
        said = child.stderr.read().decode()
    assert "error" not in said
    assert "Traceback" not in said


MANY = "select a.* from daily a, range(6)"
LITTLE_ROOM = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))
from cimis.cli.main import run
sys.exit(run(sys.argv[1:]))
"""


@pytest.mark.parametrize("suffix", ["xlsx", "md", "html"])
def test_a_full_disk_leaves_nothing(suffix: str, data: Path, tmp_path: Path) -> None:
    """Neither a part of the file nor, of a workbook, what was gathered for it."""
    gathered, place = tmp_path / "gathered", tmp_path / "place"
    gathered.mkdir()
    place.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", LITTLE_ROOM, "sql", MANY, "-o", str(place / f"x.{suffix}")],
        env={
            "PYTHONPATH": str(ROOT),
            "CIMIS_DATA_DIR": str(data),
            "CIMIS_CACHE": "0",
            "TMPDIR": str(gathered),
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 7, done.stderr
    assert f"error: cannot write '{place / f'x.{suffix}'}'" in done.stderr
    assert "Traceback" not in done.stderr
    assert [*gathered.iterdir(), *place.iterdir()] == []


def test_a_workbook_is_not_for_a_terminal(
    data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert run(["query", *MONTH, "--format", "xlsx"]) == 2
    assert "save it with -o FILE.xlsx" in capsys.readouterr().err


@pytest.mark.parametrize("words", [("items",), ("query", *MONTH)])
def test_without_the_extra_one_line_says_what_to_install(
    words: tuple[str, ...],
    data: Path,
    typed: Typed,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "xlsxwriter", None)
    answer = typed(*words, "-o", tmp_path / "x.xlsx")
    assert answer.code == 2
    assert answer.err.splitlines() == [
        "error: xlsx needs xlsxwriter, which is not installed",
        "hint: pip install 'cimis[xlsx]'",
    ]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "words",
    [("stations", "--closed"), ("gaps", "--station", "999"), ("query", "--station", "999")],
)
def test_emptiness_can_be_allowed_and_still_has_its_head(
    words: tuple[str, ...], data: Path, typed: Typed, tmp_path: Path
) -> None:
    assert typed(*words, "-o", tmp_path / "x.md").code == 3
    assert typed(*words, "-o", tmp_path / "y.md", "--allow-empty").code == 0
    (head, *rows), _ = of_markdown((tmp_path / "y.md").read_text())
    assert head[0] in ("number", "station")
    assert rows == []


def test_stations_go_on_a_map(data: Path, typed: Typed, tmp_path: Path) -> None:
    assert typed("stations", "-o", tmp_path / "x.geojson").code == 0
    saved = json.loads((tmp_path / "x.geojson").read_text())
    assert saved == json.loads(typed("stations", "--format", "geojson").out)
    assert [feature["id"] for feature in saved["features"]] == [2, 80]


def test_a_calendar_is_for_a_terminal(data: Path, typed: Typed, tmp_path: Path) -> None:
    answer = typed("gaps", "--calendar", "-o", tmp_path / "x.md")
    assert (answer.code, list(tmp_path.iterdir())) == (2, [])
