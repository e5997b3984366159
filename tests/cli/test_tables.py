"""Tables on a real terminal of 60, 80 and 120 columns: no cell is wrapped, no number cut."""

from __future__ import annotations

import csv
import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import zipfile
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cimis.cli.showing.layout import GAP, Column, fit, lines
from cimis.pipeline.catalog.database import Catalog
from cimis.pipeline.emulator import Emulator, GeneratedSource
from cimis.pipeline.field.items import Scope
from tests.cli.conftest import ROOT
from tests.queries.conftest import put, year_table

LINE = "2,{}/1/2016,1" + ",1.0, " * 14 + "\r\n"
WEEK = ("--station", "2", "--start", "2021-02-01", "--end", "2021-02-07")
ITEMS = (
    "air_tmp_avg,air_tmp_max,air_tmp_min,sol_rad_avg,dew_pnt,wind_run,precip,rel_hum_avg,asce_eto"
)
TALES = (
    "select 'a long tale of many words ' || station as t, 123456789 as n, avg(precip) as m "
    "from daily group by station order by station"
)
NAMES = {
    2: "FivePoints",
    80: "Fresno State",
    105: "San Luis Obispo West at the University",
}

COMMANDS: dict[str, tuple[str, ...]] = {
    "stations": ("stations",),
    "stations near": ("stations", "--near", "36.8,-119.7"),
    "stats": ("stats",),
    "stats by station": ("stats", "--by", "station"),
    "gaps": ("gaps", "--year", "2021"),
    "gaps runs": ("gaps", "--year", "2021", "--runs"),
    "query": ("query", *WEEK),
    "query english": ("query", *WEEK, "--units", "english"),
    "query every": ("query", *WEEK, "--every", "week"),
    "sql": ("sql", "select * from chunks order by path limit 9"),
    "sql text": ("sql", TALES),
    "sql list": ("sql", "--list"),
    "eto": ("eto", *WEEK),
    "eto compare": ("eto", "--year", "2021", "--agreement"),
    "items": ("items",),
    "flags": ("flags",),
    "config": ("config",),
    "cache": ("cache", "stats"),
    "inspect": ("inspect", "{root}/stations/002/2021_daily.zst"),
    "import": ("import", "{zip}", "--dry-run"),
    "fetch": ("fetch", "--stations", "2,80,105", "--year", "2023", "--dry-run"),
    "sync": ("sync", "--dry-run", "--since", "2026-01-01"),
    "zip codes": ("zip-codes",),
}


class Seen(NamedTuple):
    """What a command showed: lines on a terminal, and what it said aside."""

    lines: list[str]
    said: str


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Two years of three stations, an archive, and a service; as environment and file names."""
    root = tmp_path_factory.mktemp("tables")
    years = [(number, year) for number in NAMES for year in (2020, 2021)]
    put(root, [year_table(Scope.DAILY, *each, items=ITEMS) for each in years])
    facts = {"county": "San Luis Obispo", "active": True, "connected": "1982-06-07"}
    place = {"disconnected": None, "elevation_m": 86.9, "latitude": 36.336, "longitude": -120.113}
    with Catalog(root) as catalog:
        catalog.put_stations(
            (n, name, {"number": n, "name": name, **facts, **place}) for n, name in NAMES.items()
        )
    path = root.parent / "dailyStns2016.zip"
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("daily002.csv", LINE.format(1) + LINE.format(2))
    with Emulator(GeneratedSource()) as service:
        yield {
            "root": str(root),
            "zip": str(path),
            "CIMIS_DATA_DIR": str(root),
            "CIMIS_CACHE": "0",
            "CIMIS_BASE_URL": service.base_url,
            "CIMIS_APP_KEY": service.app_key,
        }


CHILD = """
import json, sys
from cimis.cli.main import run
for words in json.loads(sys.argv[1]):
    assert run(words) == 0, words
    print(chr(12), flush=True)
    print(chr(12), file=sys.stderr, flush=True)
"""


def typed_at(world: dict[str, str], width: int | None) -> dict[str, Seen]:
    """Run every command with standard output on a terminal so wide, or in a pipe."""
    words = [[word.format(**world) for word in command] for command in COMMANDS.values()]
    command = [sys.executable, "-c", CHILD, json.dumps(words)]
    env = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES")}
    env |= {name: value for name, value in world.items() if name.isupper()}
    env |= {"PYTHONPATH": str(ROOT), "TERM": "xterm"}
    ours, theirs = os.pipe() if width is None else pty.openpty()
    if width is not None:
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, width, 0, 0))
    with subprocess.Popen(
        command, env=env, stdin=subprocess.DEVNULL, stdout=theirs, stderr=subprocess.PIPE
    ) as child:
        os.close(theirs)
        shown = b"".join(iter(lambda: _read(ours), b"")).decode()
        assert child.stderr is not None
        said = child.stderr.read().decode()
    os.close(ours)
    assert child.returncode == 0, said
    plain = re.sub(r"\x1b\[[0-9;]*m", "", shown).replace("\r\n", "\n")
    answers = zip(plain.split("\f\n"), said.split("\f\n"), strict=True)
    return {
        name: Seen(text.splitlines(), aside)
        for name, (text, aside) in zip(COMMANDS, answers, strict=False)
    }


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65_536)
    except OSError:  # the other end is closed
        return b""


@pytest.fixture(scope="module")
def whole(world: dict[str, str]) -> dict[str, list[dict[str, str]]]:
    """Return the rows of each command as a pipe gets them."""
    return {name: list(csv.DictReader(seen.lines)) for name, seen in typed_at(world, None).items()}


@pytest.fixture(scope="module", params=[60, 80, 120])
def terminal(request: pytest.FixtureRequest, world: dict[str, str]) -> tuple[int, dict[str, Seen]]:
    """Return a terminal's width, and what each command shows on it."""
    return request.param, typed_at(world, request.param)


@pytest.mark.parametrize("name", COMMANDS)
def test_no_cell_is_wrapped_and_what_is_not_shown_is_said(
    name: str,
    terminal: tuple[int, dict[str, Seen]],
    whole: dict[str, list[dict[str, str]]],
) -> None:
    """One line a row, none wider than the terminal; each cell is whole, or its column is named."""
    rows = whole[name]
    width, answers = terminal
    seen = answers[name]
    if name == "sql list":  # a terminal gets the parameters' defaults without their meanings
        meaning = r": .*?(?=; \w+=|$)"
        rows = [row | {"parameters": re.sub(meaning, "", row["parameters"])} for row in rows]
    if name == "import":  # one row of many figures: on a terminal a line for each
        rows = [{"name": fact, "value": ""} for fact in rows[0]]
    left_out = _named(r"not shown for lack of width: ([^;\n]*)", seen.said)
    shortened = _named(r"shortened: ([^;\n]*)", seen.said)
    columns = [n for n in rows[0] if n not in left_out and not n.endswith("_qc")]
    body = [line for line in seen.lines if line.strip()]
    assert max(map(len, body)) <= width
    if columns != ["name", "value"]:
        assert body.pop(0).split() == columns
    if name.startswith(("query", "eto")) and re.search(r"\[\S+\]", body[0]):
        body.pop(0)  # the units
    assert len(body) == len(rows)
    for row, line in zip(rows, body, strict=True):
        for column in columns:
            cell = re.sub(r"(\d)T(\d)", r"\1 \2", " ".join(row[column].split()))
            assert _holds(line, cell, short=column in shortened), column


def _holds(line: str, cell: str, *, short: bool) -> bool:
    """Tell whether a line shows a cell whole, or shortened where that is allowed."""
    cell = {"true": "yes", "false": "no"}.get(cell, cell)
    if _is_number(cell):
        return any(_same(cell, word) for word in line.split())
    return cell in line or (short and "…" in line and cell[:1] in line)


def _named(pattern: str, said: str) -> list[str]:
    found = re.search(pattern, said)
    return found[1].split(", ") if found else []


def _is_number(text: str) -> bool:
    return re.fullmatch(r"-?\d+(\.\d+)?([eE][+-]?\d+)?", text) is not None


def _same(cell: str, word: str) -> bool:
    """Tell whether a word shows a number, at least to the six digits that a table prints."""
    return _is_number(word) and float(word) == pytest.approx(float(cell), rel=1e-5, abs=1e-9)


TEXTS = st.text(st.characters(categories=("L", "N", "P", "Zs"), max_codepoint=0x3000), max_size=60)


@given(
    st.lists(
        st.tuples(
            st.booleans(),
            st.text("abcdef_", min_size=1, max_size=14),
            st.lists(TEXTS, min_size=2, max_size=2),
        ),
        min_size=1,
        max_size=9,
        unique_by=lambda column: column[1],
    ),
    st.integers(10, 130),
)
def test_whatever_the_cells_a_table_fits_or_is_one_column(
    made: list[tuple[bool, str, list[str]]], width: int
) -> None:
    """Columns keep their order and are shown or named; numbers stay whole; lines fit the width."""
    columns = [Column(name, number=number, texts=texts) for number, name, texts in made]
    found = fit(columns, width)
    names = [column.name for column in found.columns]
    assert sorted([*names, *found.left_out]) == sorted(c.name for c in columns)
    assert names == [c.name for c in columns if c.name in names]
    assert names[0] == columns[0].name
    for column in found.columns:
        (before,) = [c for c in columns if c.name == column.name]
        if column.number:
            assert column.texts == before.texts
        assert (column.texts == before.texts) == (column.name not in found.shortened)
    if sum(c.width + GAP for c in found.columns) - GAP > width:
        only = found.columns[0]
        assert len(found.columns) == 1
        assert only.number or only.width == only.head
    assert (found.note("more") is None) == (not found.left_out and not found.shortened)


def test_columns_that_can_be_missed_go_first() -> None:
    """The spare ones are left out before others, in their order; the first column never."""
    columns = [Column(name, texts=["x" * 9]) for name in "abcd"]
    assert fit(columns, 31, spare=("b", "a")).left_out == ["b"]
    assert fit(columns, 20, spare=("b", "a")).left_out == ["b", "d"]
    assert fit(columns, 3).left_out == ["b", "c", "d"]
    assert lines(fit(columns, 20).columns) == ["a          b", f"{'x' * 9}  {'x' * 9}"]
