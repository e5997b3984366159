"""Every hostile file by every way of reading: its rows never come out as if nothing were wrong."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import io
import re
import shutil
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import cimis
from cimis.cli.main import run
from cimis.pipeline.catalog.database import Catalog, ChunkRow
from cimis.pipeline.catalog.entry import chunk_row
from cimis.pipeline.chunks import ChunkKey, read_chunk, read_scaled, store_rows
from cimis.pipeline.chunks.files import ChunkInfo
from cimis.pipeline.chunks.v2.container import parse_footer
from cimis.pipeline.errors import ChunkError, CimisError
from cimis.pipeline.field.items import Scope
from tests.chunks.golden_chunks import table
from tests.chunks.hostile_chunks import BASES, HOSTILE, Hostile, base

PAGE = Path(__file__).resolve().parents[2] / "docs" / "format-v2.md"
NEIGHBOUR = 5
FILE_ALONE = {"read_chunk", "read_scaled"}
"""Ways that are given a file, not a data directory: rule 8 does not bind them."""


@dataclass
class Outcome:
    """What a way of reading gave: the stations of its rows, and all that it said."""

    stations: list[Any]
    said: str


@dataclass(frozen=True)
class Bent:
    """A data directory with a hostile file that the catalog lists, and a sound chunk beside it."""

    root: Path
    hostile: Hostile

    @property
    def key(self) -> ChunkKey:
        return self.hostile.place

    @property
    def path(self) -> Path:
        return self.key.path(self.root)

    @property
    def scope(self) -> str:
        return self.key.scope.value


def never_false(way: str, bent: Bent, outcome: Outcome) -> None:
    """No row of the file came out, and what was said names it: refused, or left out and reported.

    The one place that says what readers owe: change it here, and it is changed for all of them.
    """
    if bent.hostile.rule == 8 and way in FILE_ALONE:
        return
    owners = {bent.key.station, 2, bent.key.target} - {None}
    assert not owners & set(outcome.stations), f"{way} gave rows"
    name = bent.key.relative_path().as_posix()
    # a line may be broken at any blank, and a name at no place
    assert name in re.sub(r"\s+", "", outcome.said), f"{way} does not name the file: {outcome.said}"


def _row(key: ChunkKey, data: bytes, like: bytes) -> ChunkRow:
    """Return what a catalog says of a file that lies, as if what it says were true."""
    try:
        footer = parse_footer(data, len(data))
        [column.item for column in footer.columns]
    except ChunkError:
        footer = parse_footer(like, len(like))
    checksum = hashlib.blake2b(data, digest_size=16).hexdigest()
    row = chunk_row(ChunkInfo(footer.key, "v2", len(data), checksum, footer), source="test")
    moved = (dt.date(key.year, 1, 1) - dt.date(row.year, 1, 1)).days * 86_400
    return row._replace(
        path=key.relative_path().as_posix(),
        scope=key.scope,
        year=key.year,
        station=key.station,
        target=key.target,
        first_s=row.first_s + moved,
        last_s=row.last_s + moved,
    )


@pytest.fixture(scope="module")
def bent_stores(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Bent]:
    """Return a maker of data directories, one for each hostile file."""
    known: dict[str, Bent] = {}

    def bent(name: str) -> Bent:
        if name not in known:
            hostile = HOSTILE[name]
            root = tmp_path_factory.mktemp("hostile")
            data, key = hostile.made(), hostile.place
            key.path(root).parent.mkdir(parents=True)
            key.path(root).write_bytes(data)
            sound, rows = BASES[hostile.based_on][0]()
            beside = ChunkKey(key.scope, key.year, station=NEIGHBOUR)
            with Catalog(root, create=True) as catalog:
                if (sound.scope, sound.year) == (key.scope, key.year):
                    place = rows.schema.get_field_index("station")
                    other = pa.array([NEIGHBOUR] * len(rows), pa.uint16())
                    rows = rows.set_column(place, rows.schema.field(place), other)
                    stored = store_rows(root, beside, rows)
                    catalog.put_chunks([chunk_row(stored.info, source="test")])
                catalog.put_chunks([_row(key, data, base(hostile.based_on)[0])])
            known[name] = Bent(root, hostile)
        return known[name]

    return bent


def _stations(rows: Any) -> list[Any]:
    names = getattr(rows, "columns", None) if hasattr(rows, "to_dicts") else rows.schema.names
    assert names is not None
    column = "station" if "station" in names else "target"
    return list(rows[column].to_list() if hasattr(rows, "to_dicts") else rows[column].to_pylist())


def _asked(read: Callable[[cimis.Store], Any], **how: Any) -> Callable[[Bent, Path], list[Any]]:
    def ask(bent: Bent, _: Path) -> list[Any]:
        with cimis.open(bent.root, **how) as store:
            return _stations(read(store))

    return ask


def _scope(store: cimis.Store) -> str:
    return "hourly" if list(store.root.glob("*/*/*_hourly.zst")) else "daily"


def _typed(arguments: Sequence[object]) -> str:
    """Run a command, and return its data; what it says goes to standard error."""
    caught = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
    with contextlib.redirect_stdout(caught):
        run([str(argument) for argument in arguments])
    return bytes(caught.buffer.getvalue()).decode()


def _terminal(bent: Bent, _: Path, *options: str) -> list[Any]:
    """Ask for a week or less, which goes the short way."""
    day = dt.date(bent.key.year, 1, 1)
    stations = f"2,{NEIGHBOUR},{bent.key.station or 2}"
    span = ("--start", day, "--end", day + dt.timedelta(days=5))
    place = ("--scope", bent.scope, "--data-dir", bent.root)
    out = _typed(["query", "--stations", stations, *span, *place, "--format", "csv", *options])
    return [int(line.split(",")[0]) for line in out.splitlines()[1:]]


def _to_file(bent: Bent, folder: Path) -> list[Any]:
    target = folder / "answer.parquet"
    _typed(["query", "--scope", bent.scope, "--data-dir", bent.root, "-o", target])
    return _stations(pq.read_table(target)) if target.exists() else []


def _compacted(bent: Bent, _: Path) -> list[Any]:
    with cimis.open(bent.root) as store:
        store.refresh()
        return _stations(getattr(store, bent.scope)())


def _verified(bent: Bent, _: Path) -> list[Any]:
    assert '"sound": true' not in _typed(["verify", "--json", "--data-dir", bent.root])
    sys.stderr.write(_typed(["verify", "--json", "--data-dir", bent.root]))
    return []


def _repaired(bent: Bent, _: Path) -> list[Any]:
    """A repair moves the file away, and the rest is answered."""
    sys.stderr.write(_typed(["verify", "--repair", "--json", "--data-dir", bent.root]))
    assert not bent.path.exists()
    with cimis.open(bent.root) as store:
        return _stations(getattr(store, bent.scope)())


def _migrated(bent: Bent, _: Path) -> list[Any]:
    before = bent.path.read_bytes()
    _typed(["migrate", "--format", "v1", "--allow-loss", "--data-dir", bent.root])
    assert bent.path.read_bytes() == before
    return []


def _merged(bent: Bent, _: Path) -> list[Any]:
    """Rows that come over the file, as a fetch or an import brings them."""
    before = bent.path.read_bytes()
    scope, year = bent.key.scope, bent.key.year
    last = (dt.date(year, 12, 31) - dt.date(1970, 1, 1)).days * (24 if scope is Scope.HOURLY else 1)
    code = "hly-air-tmp" if scope is Scope.HOURLY else "day-air-tmp-avg"
    station = bent.key.station
    key = bent.key if station is not None else ChunkKey(scope, year, station=2)
    try:
        store_rows(bent.root, key, table(key, [last], {code: ([99], [None], 1)}))
    finally:
        assert bent.path.read_bytes() == before
    return []


WAYS: dict[str, Callable[[Bent, Path], list[Any]]] = {
    "read_chunk": lambda bent, _: _stations(read_chunk(bent.path)),
    "read_scaled": lambda bent, _: _stations(read_scaled(bent.path)),
    "query on a terminal": _terminal,
    "query on a terminal, without caches": lambda bent, to: _terminal(bent, to, "--cache", "0"),
    "query to a file": _to_file,
    "store.query": _asked(lambda store: store.query(_scope(store)).table()),
    "store.daily": _asked(lambda store: getattr(store, _scope(store))()),
    "store.daily, cached": _asked(lambda s: getattr(s, _scope(s))(), cache="10MB"),
    "store.scan_daily": _asked(lambda s: getattr(s, f"scan_{_scope(s)}")().collect()),
    "store.sql": _asked(lambda store: store.sql(f"select * from {_scope(store)}").table()),
    "store.dataset": _asked(lambda store: store.dataset(_scope(store)).to_table()),
    "compact": _compacted,
    "verify": _verified,
    "verify --repair": _repaired,
    "migrate": _migrated,
    "merge": _merged,
}
WRITING = {"compact", "verify --repair", "migrate", "merge"}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", HOSTILE)
def test_no_way_of_reading_gives_false_rows(
    name: str,
    way: str,
    bent_stores: Callable[[str], Bent],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    bent = bent_stores(name)
    if way in WRITING:
        bent = Bent(shutil.copytree(bent.root, tmp_path / "copy"), bent.hostile)
    errors: list[str] = []
    stations: list[Any] = []
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            stations = WAYS[way](bent, tmp_path)
        except CimisError as error:
            errors = [str(error), error.hint or ""]
    out, err = capsys.readouterr()
    assert "Traceback" not in out + err
    said = [*errors, out, err, *(str(warning.message) for warning in warned)]
    never_false(way, bent, Outcome(stations, "\n".join(said)))


@pytest.mark.parametrize("name", BASES)
@pytest.mark.parametrize("way", [way for way in WAYS if way not in WRITING | {"verify"}])
def test_each_way_gives_the_rows_of_the_sound_files(name: str, way: str, tmp_path: Path) -> None:
    """The ways read what is there, or the test above would say nothing."""
    data, footer = base(name)
    bent = Bent(tmp_path / "store", Hostile(0, "", lambda: data, name))
    bent.path.parent.mkdir(parents=True)
    bent.path.write_bytes(data)
    with Catalog(bent.root, create=True) as catalog:
        catalog.put_chunks([_row(bent.key, data, data)])
    rows = min(footer.rows, 6) if "terminal" in way and bent.scope == "daily" else footer.rows
    assert WAYS[way](bent, tmp_path) == [2] * rows


def _rules() -> Iterator[tuple[int, str]]:
    section = PAGE.read_text().split("## What a reader must check")[1].split("\n## ")[0]
    for match in re.finditer(r"^(\d)\. (.+?)(?=^\d\. |^$)", section, re.MULTILINE | re.DOTALL):
        yield int(match[1]), " ".join(match[2].split())


def test_every_rule_of_the_page_has_files_that_break_it() -> None:
    rules = dict(_rules())
    page = " ".join(PAGE.read_text().split())
    assert set(rules) == {hostile.rule for hostile in HOSTILE.values()}
    for name, hostile in HOSTILE.items():
        # rule 4 is of the bounds of all tables of the page
        place = page if hostile.rule == 4 else rules[hostile.rule]
        assert hostile.words in place, f"{name}: the page does not say '{hostile.words}'"


@pytest.mark.parametrize(
    ("rule", "clauses"), [(1, 4), (2, 3), (3, 3), (4, 30), (5, 4), (6, 3), (7, 1), (8, 1)]
)
def test_every_clause_of_a_rule_has_a_file_that_breaks_it(rule: int, clauses: int) -> None:
    assert len({h.words for h in HOSTILE.values() if h.rule == rule}) >= clauses


def test_a_hostile_file_is_another_than_the_sound_one() -> None:
    for name, hostile in HOSTILE.items():
        assert hostile.key is not None or hostile.made() != base(hostile.based_on)[0], name
