"""Stations by name: in every command, mistyped, of several, without a list, asked about."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import cimis
from cimis.cli.app import COMMANDS, cli
from cimis.cli.showing.output import Output
from cimis.cli.showing.placed import stations_asked
from cimis.naming.called import called, slug
from cimis.naming.where import Where
from cimis.pipeline.catalog.database import Catalog
from cimis.pipeline.errors import UsageError
from cimis.store import Store
from tests.cli.terminal import on_terminal
from tests.queries.made import put_days, put_hours

if TYPE_CHECKING:
    from tests.cli.conftest import Typed

LIST = {
    1: "Fresno/F.S.U. USDA",
    2: "FivePoints",
    5: "Shafter",
    6: "Davis",
    24: "Thermal",
    50: "Thermal",
    80: "Fresno State",
    113: "King City-Oasis Rd.",
    136: "Oasis",
    190: "Five Points South West",
    213: "El Cerrito",
}
FACTS: list[dict[str, Any]] = [
    {"number": n, "name": name, "county": "Yolo" if n == 6 else "Fresno", "active": True}
    | {"latitude": 36.3, "longitude": -120.1, "elevation_m": 87.0}
    for n, name in LIST.items()
]
DAYS = ("--start", "2021-07-01", "--end", "2021-07-05")


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A few days of stations 2 and 6, and the network's list."""
    root = tmp_path_factory.mktemp("called")
    weather = {"air_tmp_max": 35.0, "air_tmp_min": 15.0, "asce_eto": 7.0, "precip": 0.0}
    weather |= {"sol_rad_avg": 320.0, "vap_pres_avg": 1.2, "wind_spd_avg": 2.0, "dew_pnt": 9.0}
    for station in (2, 6):
        put_days(root, station, "2021-07-01", {name: [v] * 5 for name, v in weather.items()})
        put_hours(root, station, "2021-07-01", {"air_tmp": [20.0] * 120})
    with Catalog(root) as catalog:
        catalog.put_stations((facts["number"], facts["name"], facts) for facts in FACTS)
    return root


@pytest.fixture
def root(stored: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CIMIS_DATA_DIR", str(stored))
    monkeypatch.chdir(stored)
    return stored


WORDS: dict[str, tuple[str, ...]] = {
    "query": DAYS,
    "sql": ("frost-nights",),
    "gaps": DAYS,
    "eto": (*DAYS, "--allow-empty"),
    "qc": DAYS,
    "fill": DAYS,
    "degree-days": (*DAYS, "--low", "10C"),
    "chill": DAYS,
    "normals": ("--items", "asce_eto", "--allow-empty"),
    "crop-et": ("--landscape", "2500,0.5", *DAYS, "--total-from", "2021-07-01"),
    "plot": DAYS,
    "report": (*DAYS, "-o", "report.html"),
    "export": ("lake", "--dry-run"),
    "export-model": ("--format", "chillr", *DAYS),
    "fetch": (*DAYS, "--dry-run"),
    "sync": ("--since", "2021-07-01", "--dry-run"),
    "import": ("d.zip", "--dry-run"),
    "migrate": ("--format", "v1", "--dry-run"),
}
"""Of each command that takes stations: words that do nothing to a store."""


def _words(command: str, root: Path) -> tuple[str, ...]:
    if command == "import":
        with zipfile.ZipFile(root / "d.zip", "w") as archive:
            archive.writestr("daily006.csv", "6,1/1/2021,1" + ",1.0, " * 14 + "\n")
    return (command, *WORDS[command])


def test_no_command_that_takes_stations_is_forgotten() -> None:
    taking = {
        name
        for name in COMMANDS
        if (command := cli.get_command(None, name)) is not None  # type: ignore[arg-type]
        and any("--stations" in param.opts for param in command.params)
    }
    assert taking == WORDS.keys()


@pytest.mark.parametrize("command", WORDS)
def test_a_name_asks_what_its_number_asks(command: str, root: Path, typed: Typed) -> None:
    words = _words(command, root)
    by_number, by_name = (typed(*words, "--station", who) for who in ("6", "dAvis"))
    assert (by_number.code, by_name.code) == (0, 0), by_name.err
    if command == "import":  # the last two figures are the time that it took
        by_number, by_name = (a._replace(out=a.out.rsplit(",", 2)[0]) for a in (by_number, by_name))
    assert by_name.out == by_number.out
    assert "taken for" not in by_name.err


@pytest.mark.parametrize("command", WORDS)
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("daviss", "no station is called 'daviss'; did you mean Davis (6)?"),
        ("fresno", "'fresno' fits 2 stations: Fresno/F.S.U. USDA (1), Fresno State (80)"),
        ("Zzyzx", "no station is called 'Zzyzx'"),
    ],
)
def test_a_name_in_doubt_is_refused(
    command: str, name: str, said: str, root: Path, typed: Typed
) -> None:
    answer = typed(*_words(command, root), "--station", name)
    assert (answer.code, answer.out) == (2, "")
    assert said in answer.err


@pytest.mark.parametrize("command", WORDS)
@pytest.mark.parametrize("place", ["nowhere", "empty"])
def test_without_a_list_it_is_said_how_to_get_it(
    command: str, place: str, root: Path, tmp_path: Path, typed: Typed
) -> None:
    """No data directory, or one without a list; none is made, and nothing is asked."""
    where = tmp_path / place
    if place == "empty":
        cimis.create(where).close()
    answer = typed(*_words(command, root), "--station", "davis", "--data-dir", where)
    assert (answer.code, answer.out) == (2, "")
    assert "no list of stations to find a name in" in answer.err
    assert "cimis stations --refresh" in answer.err
    assert where.exists() == (place == "empty")


def test_names_numbers_and_ranges_are_mixed(root: Path, typed: Typed) -> None:
    words = ("query", *DAYS, "--items", "asce_eto")
    assert typed(*words, "--stations", "davis, 1-3") == typed(*words, "--stations", "6,1-3")
    both = typed(*words, "--stations", "five points", "--station", "davis")
    assert both.out == typed(*words, "--stations", "2,6").out


def test_a_part_of_a_name_is_told_the_whole_name_is_not(root: Path, typed: Typed) -> None:
    words = ("query", *DAYS, "--items", "asce_eto")
    assert "'dav' is taken for Davis (6)" in typed(*words, "--station", "dav").err
    assert typed(*words, "--station", "dav", "--quiet").err == ""
    assert typed(*words, "--station", "davis").err == ""
    told = json.loads(typed(*words, "--station", "dav", "--json").err)
    assert told == {"station": {"given": "dav", "station": 6, "name": "Davis"}}


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("DAVIS", 6),
        ("  davis ", 6),
        ("five points", 2),
        ("five-points", 2),
        ("Dávis", 6),
        ("shaft", 5),
        ("state fresno", 80),
        ("oasis", 136),
        ("oasis rd", 113),
        ("kingcity", 113),
        ("points south", 190),
        ("cerrito", 213),
        ("errito", 213),
    ],
)
def test_capitals_accents_blanks_and_punctuation_count_for_nothing(text: str, number: int) -> None:
    assert called(text, FACTS) == number


@pytest.mark.parametrize(
    ("text", "near"),
    [("shaftr", "Shafter (5)"), ("el cerito", "El Cerrito (213)"), ("freno state", "(80)")],
)
def test_a_slip_is_never_taken_for_a_name(text: str, near: str) -> None:
    with pytest.raises(UsageError, match="no station is called") as caught:
        called(text, FACTS)
    assert near in str(caught.value)


@pytest.mark.parametrize("text", ["thermal", "points", "all", "", "..."])
def test_what_names_no_single_station_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        called(text, FACTS)


@given(st.text(min_size=1, max_size=12))
def test_a_name_never_means_a_station_that_does_not_hold_it(text: str) -> None:
    """Whatever is typed: the station found has each of its words in its name."""
    try:
        found = called(text, FACTS)
    except UsageError:
        return
    name = slug(LIST[found]).replace("-", "")
    assert all(word in name for word in slug(text).split("-"))


def test_names_of_an_argument_are_read_where_stations_are_chosen(root: Path) -> None:
    """A command that takes stations as an argument hands on their text as it was typed."""
    asked = stations_asked(root, "davis,2", Where(), (None, None), Output(quiet=True))
    assert asked == (2, 6)


def test_python_knows_the_same_names(root: Path) -> None:
    with Store(root) as store:
        found = store.daily(["five points", 6], *DAYS[1::2], "asce_eto")
        assert found["station"].unique().sort().to_list() == [2, 6]
        with pytest.raises(UsageError, match="did you mean Davis"):
            store.daily("daviss")


def test_a_county_mistyped_is_suggested(root: Path, typed: Typed) -> None:
    answer = typed("query", *DAYS, "--county", "Freno")
    assert answer.code == 2
    assert "no county 'Freno'; did you mean Fresno?" in answer.err


ASKING = ("query", *DAYS, "--items", "asce_eto", "--limit", "1")


@pytest.mark.parametrize(
    ("name", "answers", "asked", "seen", "code"),
    [
        ("daviss", [""], "[Y/n]: ", "'daviss' is taken for Davis (6)", 0),
        ("daviss", ["n"], "[Y/n]: ", "error: no station is called 'daviss'", 2),
        ("points", ["190", ""], "its number", "no station", 3),
        ("points", ["2"], "its number", "'points' is taken for FivePoints (2)", 0),
        ("points", ["7", "2"], "its number", "'7' is none of these numbers", 0),
        ("points", [""], "its number", "error: 'points' fits 2 stations", 2),
    ],
)
def test_on_a_terminal_it_is_asked(
    name: str, answers: list[str], asked: str, seen: str, code: int, root: Path
) -> None:
    found = on_terminal(*ASKING, "--station", name, answers=answers, asked=asked)
    assert (found.code, "Traceback" in found.text) == (code, False), found.text
    if seen != "no station":
        assert seen in found.text


def test_a_list_to_choose_from_tells_county_of_each(root: Path) -> None:
    found = on_terminal(*ASKING, "--station", "points", answers=[""], asked="its number")
    assert "2  FivePoints, Fresno County" in found.text
    assert "190  Five Points South West, Fresno County" in found.text


@pytest.mark.parametrize("more", ["--json", "--quiet"])
def test_a_program_is_not_asked(more: str, root: Path) -> None:
    found = on_terminal(*ASKING, "--station", "daviss", more, answers=["y"], asked="[Y/n]")
    assert found.code == 2


@pytest.mark.parametrize(("who", "reads"), [("6", False), ("davis", True)])
def test_only_a_name_imports_what_knows_names(who: str, reads: bool, root: Path) -> None:
    script = (
        "import sys\n"
        "from cimis.cli.main import run\n"
        f"run(['query', '--station', {who!r}, '--start', '2021-07-01', '--end', '2021-07-02'])\n"
        "print('cimis.naming.called' in sys.modules, file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stderr.splitlines()[-1] == str(reads)


NO_ROWS = {"export", "export-model", "plot", "report", "fetch", "sync", "import", "migrate"}
NAMED = sorted(set(WORDS) - NO_ROWS)


@pytest.mark.parametrize("command", NAMED)
def test_names_stand_behind_the_numbers(command: str, root: Path, typed: Typed) -> None:
    """With ``--names`` rows are the same with one column more."""
    words = (*_words(command, root), "--stations", "2,6", "--format", "csv")
    if command == "gaps":  # a pipe's form, which needs no option
        words = words[:-2]
    plain, named = (typed(*words, *more) for more in ((), ("--names",)))
    assert (named.code, plain.code) == (0, 0), named.err
    heads, *rows = (line.split(",") for line in named.out.splitlines())
    place = heads.index("station")
    assert heads[place + 1] == "station_name"
    assert all(LIST[int(row[place])] == row[place + 1] for row in rows)
    bare = [[*row[: place + 1], *row[place + 2 :]] for row in (heads, *rows)]
    assert bare == [line.split(",") for line in plain.out.splitlines()]


@pytest.mark.parametrize("suffix", ["csv", "tsv", "json", "ndjson", "parquet", "arrow"])
def test_every_form_has_them(suffix: str, root: Path, tmp_path: Path, typed: Typed) -> None:
    import polars as pl

    path = tmp_path / f"x.{suffix}"
    words = ("query", "--stations", "2,6", *DAYS, "--items", "asce_eto", "--names")
    assert typed(*words, "-o", path).code == 0
    read: Any = {
        "csv": pl.read_csv,
        "tsv": lambda p: pl.read_csv(p, separator="\t"),
        "json": pl.read_json,
        "ndjson": pl.read_ndjson,
        "parquet": pl.read_parquet,
        "arrow": pl.read_ipc,
    }[suffix]
    frame = read(path)
    assert frame.columns[:2] == ["station", "station_name"]
    assert frame["station_name"].to_list() == ["FivePoints"] * 5 + ["Davis"] * 5


def test_a_station_that_the_list_lacks_has_no_name(root: Path, typed: Typed) -> None:
    answer = typed("sql", "select 7 as station union select 6 order by 1", "--names", "--json")
    assert json.loads(answer.out) == [
        {"station": 6, "station_name": "Davis"},
        {"station": 7, "station_name": None},
    ]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("sql", "select 1 as n", "--names"), 2, "no column 'station'"),
        (("sql", "select 'x' as station", "--names"), 2, "no column 'station'"),
        (("sql", "select 6 as station, 1 as station_name", "--names"), 2, "already"),
    ],
)
def test_what_cannot_be_named_is_refused(
    words: tuple[str, ...], code: int, said: str, root: Path, typed: Typed
) -> None:
    answer = typed(*words)
    assert (answer.code, answer.out) == (code, "")
    assert said in answer.err


def test_names_without_a_list_are_refused(tmp_path: Path, typed: Typed) -> None:
    put_days(tmp_path, 6, "2021-07-01", {"asce_eto": [1.0]})
    answer = typed("query", "--station", "6", *DAYS, "--names", "--data-dir", tmp_path)
    assert (answer.code, answer.out) == (3, "")
    assert "cimis stations --refresh" in answer.err


def test_in_python_frames_have_them_too(root: Path) -> None:
    with Store(root) as store:
        days = store.daily([2, 6], *DAYS[1::2], "asce_eto", names=True)
        hours = store.hourly(6, *DAYS[1::2], names=True)
        bare = store.daily([2, 6], *DAYS[1::2], "asce_eto")
    assert days.columns[:3] == ["station", "station_name", "date"]
    assert days.drop("station_name").equals(bare)
    assert hours["station_name"].unique().to_list() == ["Davis"]
