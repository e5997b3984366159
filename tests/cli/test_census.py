"""Every command and every method of a store names what its answer is short of, or asks for nothing.

A table says of each what is asked of it where parts are absent: a station, days, an item. A command
or a method that is not in it fails the test.
"""

from __future__ import annotations

import datetime as dt
import inspect
import json
import warnings
import zipfile
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cimis import IncompleteAnswer, Store, create
from cimis.cli.app import COMMANDS
from cimis.pipeline.emulator import Emulator, GeneratedSource
from cimis.pipeline.errors import NoDataError
from cimis.pipeline.field.items import Scope
from tests.queries.conftest import put, year_table

if TYPE_CHECKING:
    from tests.cli.conftest import Answer, Typed

DAYS = ("--start", "2021-04-01", "--end", "2021-04-20")  # station 5 has no row from April 11 to 15
NO_STATION = "stations with no row: 999"
SHORT = "station 5 has 15 of 20 days"
NO_ITEM = "nothing holds eto"
ITEMS = "air_tmp_avg,eto"


@pytest.fixture(scope="module")
def service() -> Iterator[Emulator]:
    with Emulator(GeneratedSource()) as emulator:
        yield emulator


@pytest.fixture
def root(tmp_path: Path, service: Emulator, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A station of which five days and the item eto are not there, with the network's list."""
    place = tmp_path / "data"
    monkeypatch.setenv("CIMIS_DATA_DIR", str(place))
    monkeypatch.setenv("CIMIS_BASE_URL", service.base_url)
    monkeypatch.setenv("CIMIS_APP_KEY", service.app_key)
    weather = "air_tmp_avg,air_tmp_max,air_tmp_min,sol_rad_avg,vap_pres_avg,wind_spd_avg,precip"
    put(place, [year_table(Scope.DAILY, 5, 2021, items=weather)])
    put(place, [year_table(Scope.HOURLY, 5, 2021, items="air_tmp")])
    with create(place) as store:
        _put_list(store)
    return place


def _put_list(store: Store) -> None:
    from cimis.pipeline.catalog.database import Catalog

    facts: dict[str, Any] = {
        "latitude": 35.5,
        "longitude": -119.3,
        "elevation_m": 110.0,
        "county": "Kern",
    }
    known: list[tuple[int, str, dict[str, Any]]] = [
        (1, "Closed", {"connected": "1982-06-07", "disconnected": "1990-01-01", "active": False}),
        (5, "Shafter", {"connected": "1982-06-01", "disconnected": None, "active": True}),
    ]
    with Catalog(store.root) as catalog:
        catalog.put_stations(
            (number, name, {"number": number, "name": name, **facts, **more})
            for number, name, more in known
        )


ASKED: dict[str, list[tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "query": [
        (("--stations", "5,999", *DAYS, "--items", ITEMS), (NO_STATION, SHORT, NO_ITEM)),
        (("--stations", "5,999", *DAYS, "--format", "json"), (NO_STATION, SHORT)),
        (("--stations", "5,999", *DAYS, "-o", "x.parquet"), (NO_STATION, SHORT)),
        (("--stations", "5,999", "--year", "2021", "--every", "month"), (NO_STATION, "360 of 365")),
        (("--stations", "5,999", *DAYS, "--hourly"), (NO_STATION, "360 of 480 hours")),
        (("--county", "Kern", *DAYS), (SHORT,)),
        (("--near", "35.5,-119.3", *DAYS), (SHORT, "near 35.5,-119.3: station 5 Shafter, 0 km")),
        (("--stations", "5,999", *DAYS, "--limit", "2"), (NO_STATION,)),
        (("--zip", "93624", *DAYS, "--allow-empty"), ("targets with no row: zip:93624",)),
    ],
    "sql": [(("frost-nights", "--stations", "5,999"), (NO_STATION,))],
    "gaps": [(("--stations", "5,999", *DAYS, "--items", ITEMS), (NO_STATION, NO_ITEM))],
    "plot": [
        (("--stations", "5,999", *DAYS, "--items", ITEMS), (NO_STATION, SHORT, NO_ITEM)),
        (("--stations", "5,999", *DAYS, "--items", ITEMS, "--json"), (NO_STATION, SHORT, NO_ITEM)),
        (("eto-rain", "--stations", "5,999", *DAYS), (NO_STATION, SHORT)),
        (("cumulated", "--stations", "5,999", *DAYS, "--items", "precip"), (NO_STATION, SHORT)),
        (("gaps", "--stations", "5,999", *DAYS, "--items", ITEMS), (NO_STATION, NO_ITEM)),
        (("--stations", "5,999", *DAYS, "--hourly"), (NO_STATION, "360 of 480 hours")),
    ],
    "eto": [(("--stations", "5,999", *DAYS), (NO_STATION, SHORT, "nothing holds asce_eto"))],
    "qc": [
        (("--stations", "5,999", *DAYS), (NO_STATION, SHORT, "rel_hum_avg, rel_hum_max")),
    ],
    "fill": [(("--stations", "5,999", *DAYS, "--items", "air_tmp_avg,eto"), (NO_STATION, NO_ITEM))],
    "degree-days": [(("--stations", "5,999", *DAYS, "--low", "50F"), (NO_STATION, SHORT))],
    "chill": [(("--stations", "5,999", *DAYS), (NO_STATION, "of 480 hours"))],
    "normals": [(("--stations", "5,999", "--items", "precip", "--allow-empty"), (NO_STATION,))],
    "report": [
        (("--stations", "5,999", *DAYS, "-o", "r.html"), (NO_STATION, SHORT)),
        (("--near", "35.5,-119.3", *DAYS, "-o", "r.html"), (SHORT, "near 35.5,-119.3: station 5")),
        (("--overview", "--stations", "5,999", *DAYS, "-o", "r.html"), (NO_STATION, SHORT)),
    ],
    "crop-et": [
        (
            ("--landscape", "2500,0.5", "--stations", "5,999", *DAYS, "--total-from", "2021-04-01"),
            (NO_STATION, SHORT, "nothing holds asce_eto", "no average for 1 stations (5)"),
        ),
        (
            (
                *("--landscape", "2500,0.5", "--stations", "5,999", *DAYS),
                *("--total-from", "2021-04-01", "--page", "week.html"),
            ),
            (NO_STATION, SHORT, "nothing holds asce_eto"),
        ),
    ],
    "export": [(("lake", "--stations", "5,999"), (NO_STATION,))],
    "export-model": [
        (("--format", "chillr", "--station", "5", *DAYS), (SHORT,)),
        (("--format", "chillr", "--station", "5", *DAYS, "--hourly"), ("360 of 480 hours",)),
        (("--format", "pyfao56", "--station", "5", *DAYS), (SHORT, "nothing holds", "asce_eto")),
    ],
    "fetch": [
        (("--stations", "2,990-999", *DAYS), ("no such stations: [990",)),
        (("--near", "36.6,-119.9", *DAYS), ("near 36.6,-119.9: station ",)),
    ],
    "sync": [
        (("--stations", "5,990-999", "--since", "2026-11-01"), ("no such stations: [990",)),
    ],
    "import": [(("dailyStns2021.zip", "--stations", "5,999"), (NO_STATION,))],
    "migrate": [(("--stations", "5,999", "--format", "v1", "--dry-run"), (NO_STATION,))],
    "inspect": [(("stations/005/2021_daily.zst",), ("station 5 has 360 of 365 days",))],
    "zip-codes": [(("--zip", "93624,00001"), ("nobody serves 00001",))],
}
"""Of each command: words, and what standard error must then say."""

NOTHING_ASKED = {
    "demo": "makes what it asks for",
    "init": "asks for nothing",
    "emulator": "serves",
    "stats": "tells all that is stored; of an empty store see below",
    "verify": "checks all that is stored; of an empty store see below",
    "compact": "asks for nothing",
    "cache": "asks for nothing",
    "serve-metrics": "serves",
    "stations": "conditions of which any number may match; none is exit code 3",
    "items": "the registry",
    "flags": "the registry",
    "config": "settings",
    "doctor": "looks at what is there, and what is not",
    "profile": "asks what the command asks that it runs",
    "help": "a text",
    "completion": "a script",
    "version": "a number",
}


def test_no_command_is_forgotten() -> None:
    assert sorted([*ASKED, *NOTHING_ASKED]) == sorted(COMMANDS)


@pytest.mark.parametrize(
    ("command", "words", "due"),
    [(command, *one) for command, some in ASKED.items() for one in some],
    ids=lambda value: value if isinstance(value, str) else " ",
)
def test_a_command_names_what_its_answer_lacks(
    command: str,
    words: tuple[str, ...],
    due: tuple[str, ...],
    root: Path,
    typed: Typed,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(root)
    if command == "import":
        _archive(root / "dailyStns2021.zip")
    answer = typed(command, *words)
    assert answer.code == 0, answer.err
    for text in due:
        assert text in answer.err
    assert NO_STATION not in answer.out
    quiet = typed(command, *words, "--quiet")
    assert (quiet.code, quiet.err) == (0, "")


@pytest.mark.parametrize("command", ["query", "gaps"])
def test_beside_rows_in_json_it_is_an_object_on_standard_error(
    command: str, root: Path, typed: Typed
) -> None:
    answer = typed(command, "--stations", "5,999", *DAYS, "--json")
    # on a busy machine a line before it says what the question waited for
    lacks = json.loads(answer.err.splitlines()[-1])["lacks"]
    assert lacks["without_rows"] == [999]


@pytest.mark.parametrize(
    "words",
    [
        ("migrate", "--stations", "5,999", "--format", "v1", "--dry-run"),
        ("import", "dailyStns2021.zip", "--stations", "5,999"),
    ],
    ids=lambda words: words[0],
)
def test_in_a_json_object_it_is_a_field(
    words: tuple[str, ...], root: Path, typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(root)
    _archive(root / "dailyStns2021.zip")
    answer: Answer = typed(*words, "--json")
    assert json.loads(answer.out)["lacks"]["without_rows"] == [999]


@pytest.mark.parametrize("command", ["stats", "verify"])
def test_an_empty_store_is_named(command: str, tmp_path: Path, typed: Typed) -> None:
    create(tmp_path / "new").close()
    assert "nothing is stored" in typed(command, "--data-dir", tmp_path / "new").err


@pytest.mark.parametrize(
    "words",
    [
        ("query", "--station", "999", *DAYS),
        ("gaps", "--station", "999", *DAYS),
        ("gaps", "--station", "5", *DAYS, "--items", "eto"),
        ("plot", "--station", "999", *DAYS),
        ("plot", "eto-rain", "--station", "999", *DAYS),
        ("plot", "cumulated", "--station", "999", *DAYS),
        ("plot", "gaps", "--station", "999", *DAYS),
        ("plot", "rose", "--station", "5", *DAYS),
        ("plot", "scatter", "--stations", "5,999", "--items", "precip", *DAYS),
        ("plot", "--station", "5", *DAYS, "--items", "eto"),
        ("eto", "--station", "999", *DAYS),
        ("degree-days", "--station", "999", *DAYS, "--low", "50F"),
        ("chill", "--station", "999", *DAYS),
        ("normals", "--station", "5", "--items", "precip"),
        ("report", "--station", "999", *DAYS, "-o", "r.html"),
        ("crop-et", "--landscape", "2500,0.5", "--station", "999", *DAYS),
        ("export-model", "--format", "dssat", "--station", "999", *DAYS),
        ("import", "dailyStns2021.zip", "--station", "999"),
        ("migrate", "--station", "999"),
        ("stations", "--called", "nobody"),
    ],
    ids=" ".join,
)
def test_where_nothing_matches_the_exit_code_is_3(
    words: tuple[str, ...], root: Path, typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(root)
    _archive(root / "dailyStns2021.zip")
    assert typed(*words).code == 3


def test_a_whole_answer_says_nothing(root: Path, typed: Typed) -> None:
    answer = typed("query", "--station", "5", "--month", "2021-06", "--items", "air_tmp_avg")
    assert (answer.code, answer.err) == (0, "")


def _archive(path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("daily005.csv", "5,1/1/2021,1" + ",1.0, " * 14 + "\n")
    return path


SPAN: dict[str, Any] = {"start": "2021-04-01", "end": "2021-04-20"}
Method = Callable[[Store], Any]

WARNS: dict[str, tuple[Method, tuple[str, ...]]] = {
    "daily": (
        lambda s: s.daily([5, 999], items=("air_tmp_avg", "eto"), **SPAN),
        (NO_STATION, SHORT, NO_ITEM),
    ),
    "hourly": (lambda s: s.hourly([5, 999], **SPAN), (NO_STATION, "360 of 480 hours")),
    "daily of targets": (
        lambda s: s.daily("zip:93624", **SPAN),
        ("targets with no row: zip:93624",),
    ),
    "plot": (
        lambda s: s.plot(stations=[5, 999], items=("air_tmp_avg", "eto"), **SPAN),
        (NO_STATION, SHORT, NO_ITEM),
    ),
    "scan_daily": (lambda s: s.scan_daily([5, 999]), (NO_STATION,)),
    "scan_hourly": (lambda s: s.scan_hourly([5, 999]), (NO_STATION,)),
    "splits": (lambda s: s.splits("daily", stations=[5, 999]), (NO_STATION,)),
    "dataset": (lambda s: s.dataset("daily", stations=[5, 999]), (NO_STATION,)),
    "eto": (lambda s: s.eto(stations=[5, 999], **SPAN), (NO_STATION, SHORT)),
    "eto_table": (lambda s: s.eto_table(stations=[5, 999], **SPAN), (NO_STATION, SHORT)),
    "fetch": (lambda s: s.fetch("5,990-991", **SPAN), ("stations with no row: 990, 991",)),
    "sync": (
        lambda s: s.sync("5,990-991", since=dt.date(2026, 11, 1)),
        ("stations with no row: 990, 991",),
    ),
    "import_archive": (
        lambda s: s.import_archive(_archive(s.root / "d.zip"), stations=[5, 999], dry_run=True),
        (NO_STATION,),
    ),
    "migrate": (lambda s: s.migrate("v1", stations=[5, 999], dry_run=True), (NO_STATION,)),
}
LACKS: dict[str, tuple[Method, tuple[str, ...]]] = {
    "query": (lambda s: s.query(stations=[5, 999], **SPAN), (NO_STATION, SHORT)),
    "query of targets": (
        lambda s: s.query(stations="zip:93624"),
        ("targets with no row: zip:93624",),
    ),
    "gaps": (lambda s: s.gaps([5, 999], items=ITEMS, **SPAN), (NO_STATION, NO_ITEM)),
    "named": (lambda s: s.named("frost-nights", stations=[5, 999]), (NO_STATION,)),
    "every": (
        lambda s: s.every("month", stations=[5, 999], items=ITEMS, **SPAN),
        (NO_STATION, SHORT, NO_ITEM),
    ),
    "qc": (lambda s: s.qc(stations=[5, 999], **SPAN), (NO_STATION, SHORT)),
    "filled": (
        lambda s: s.filled([5, 999], items="air_tmp_avg,eto", **SPAN),
        (NO_STATION, NO_ITEM),
    ),
    "degree_days": (
        lambda s: s.degree_days("50F", stations=[5, 999], **SPAN),
        (NO_STATION, SHORT),
    ),
    "chill": (lambda s: s.chill(stations=[5, 999], **SPAN), (NO_STATION, "of 480 hours")),
    "normals": (lambda s: _refused(s.normals), (NO_STATION,)),
    "compare": (lambda s: _refused(partial(s.compare, "normal"), **SPAN), (NO_STATION, SHORT)),
    "crop_et": (
        lambda s: s.crop_et(
            landscape=(2500, 0.5), stations=[5, 999], total_from="2021-04-01", **SPAN
        ),
        (NO_STATION, SHORT),
    ),
    "report": (lambda s: s.report([5, 999], **SPAN), (NO_STATION, SHORT)),
    "crop_report": (
        lambda s: s.crop_report(
            landscape=(2500, 0.5), stations=[5, 999], total_from="2021-04-01", **SPAN
        ),
        (NO_STATION, SHORT),
    ),
    "network_report": (lambda s: s.network_report(stations=[5, 999], **SPAN), (NO_STATION, SHORT)),
    "export": (lambda s: s.export(s.root / "lake", stations=[5, 999]), (NO_STATION,)),
    "export_model": (lambda s: s.export_model("chillr", 5, **SPAN), (SHORT,)),
    "computed_eto": (lambda s: _Second(s.computed_eto(stations=[5, 999], **SPAN)), (NO_STATION,)),
}
ASKS_NOTHING = {
    "sql": "SQL may ask for anything",
    "connect": "SQL may ask for anything",
    "near": "a place around which any number of stations may lie; none is an error",
    "county": "a place where any number of stations may lie; none is an error",
    "stations": "all that is listed",
    "chunks": "all that is stored",
    "verify": "all that is stored",
    "doctor": "what it looks at it tells, whatever it is",
    "refresh": "nothing",
    "cache_facts": "nothing",
    "clear_cache": "nothing",
    "close": "nothing",
}


def _refused(ask: Callable[..., Any], **span: Any) -> Any:
    """Return what an answer that needs five years tells of a store that has one."""
    with pytest.raises(NoDataError) as caught:
        ask(stations=[5, 999], items="precip", **span)
    return caught.value.report


class _Second:
    """A pair whose second part is what the first lacks."""

    def __init__(self, pair: tuple[Any, Any]) -> None:
        self.lacks = pair[1]


def test_no_method_is_forgotten() -> None:
    public = [n for n, _ in inspect.getmembers(Store, inspect.isfunction) if not n.startswith("_")]
    told = {name.partition(" ")[0] for name in (*WARNS, *LACKS, *ASKS_NOTHING)}
    assert sorted(told) == sorted(public)


@pytest.mark.parametrize("method", WARNS)
def test_a_method_warns_of_what_a_plain_answer_lacks(
    method: str, root: Path, service: Emulator
) -> None:
    ask, due = WARNS[method]
    with Store(root) as store, pytest.warns(IncompleteAnswer) as caught:
        ask(store)
    for text in due:
        assert text in str(caught[0].message)
    assert caught[0].filename == __file__


@pytest.mark.parametrize("method", LACKS)
def test_an_unread_answer_has_what_it_lacks(method: str, root: Path) -> None:
    ask, due = LACKS[method]
    with Store(root) as store, warnings.catch_warnings():
        warnings.simplefilter("error")
        with nullcontext(ask(store)) as answer:
            for text in due:
                assert text in str(answer.lacks)
