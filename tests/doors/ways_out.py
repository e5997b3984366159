"""Every way out of a data directory: each gives all rows of a scope, in plain Python."""

from __future__ import annotations

import contextlib
import csv
import datetime as dt
import io
import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import cimis
from cimis.cli.main import run
from tests.doors.rows import Batch, Rows
from tests.readers import of_html, of_markdown

__all__ = ["WAYS_OUT", "Found", "WayOut"]


@dataclass
class Found:
    """The rows that came out, and by column how many cells were said to be lost on the way."""

    rows: Rows
    lost: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class WayOut:
    """One door, and whether it gives English units too."""

    read: Callable[[Path, Batch, str, Path], Found]
    converts: bool = False


def _text(value: object) -> str | None:
    """Return a number as the text of its shortest decimal."""
    if value is None:
        return None
    return value if isinstance(value, str) else repr(value)


def _rows(records: Iterable[Mapping[str, Any]]) -> Rows:
    """Return rows of records that have texts, numbers or dates, whatever the door gives."""
    found: Rows = {}
    for record in records:
        day = record["date"]
        day = dt.date.fromisoformat(day) if isinstance(day, str) else day
        key = int(record["station"]), day, int(record.get("hour") or 0)
        assert key not in found, f"{key} twice"
        columns = [name for name in record if f"{name}_qc" in record]
        found[key] = {n: (_text(record[n]), record[f"{n}_qc"]) for n in columns}
    return found


def typed(arguments: Iterable[object]) -> bytes:
    """Run a command, which must succeed; return what it gave."""
    caught, said = (
        io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True),
        io.StringIO(),
    )
    with contextlib.redirect_stdout(caught), contextlib.redirect_stderr(said):
        code = run([str(argument) for argument in arguments])
    assert code == 0, said.getvalue()
    assert isinstance(caught.buffer, io.BytesIO)
    return caught.buffer.getvalue()


def _delimited(data: bytes, separator: str) -> Rows:
    lines = csv.DictReader(io.StringIO(data.decode(), newline=""), delimiter=separator)
    return _rows({name: text or None for name, text in line.items()} for line in lines)


def _parsed(data: bytes, form: str) -> Rows:
    if form in ("csv", "tsv"):
        return _delimited(data, "," if form == "csv" else "\t")
    if form == "json":
        return _rows(json.loads(data, parse_float=str, parse_int=str))
    if form == "ndjson":
        lines = data.decode().splitlines()
        return _rows(json.loads(line, parse_float=str, parse_int=str) for line in lines)
    if form in ("xlsx", "md", "html"):
        return _tabled(data, form)
    source = pa.BufferReader(data)
    table = pq.read_table(source) if form == "parquet" else pa.ipc.open_file(source).read_all()
    return _rows(table.to_pylist())


def _tabled(data: bytes, form: str) -> Rows:
    """Return rows of a form made for people, whose heads say units."""
    head: list[Any]
    if form == "xlsx":
        sheet = openpyxl.load_workbook(io.BytesIO(data))["Data"]
        head, *lines = [list(row) for row in sheet.iter_rows(values_only=True)]
        days = [n for n, name in enumerate(head) if name == "date"]
        lines = [[v.date() if n in days else v for n, v in enumerate(line)] for line in lines]
    else:
        text = data.decode()
        head, *lines = of_markdown(text)[0] if form == "md" else of_html(text).tables[0]
        lines = [[cell or None for cell in line] for line in lines]
    names = [str(name).partition(" [")[0] for name in head]
    return _rows(dict(zip(names, line, strict=True)) for line in lines)


def _saved(form: str) -> WayOut:
    """`cimis query -o`, of all that is stored."""

    def read(root: Path, batch: Batch, units: str, folder: Path) -> Found:
        target = folder / f"answer.{form}"
        scope = "hourly" if batch.hourly else "daily"
        asked = ("--scope", scope, "--units", units, "--data-dir", root)
        typed(["query", *asked, "-o", target])
        return Found(_parsed(target.read_bytes(), form))

    return WayOut(read, converts=True)


def _piped(form: str) -> WayOut:
    """`cimis query` of named stations and days, the short way where there is one."""

    def read(root: Path, batch: Batch, units: str, _: Path) -> Found:
        year = batch.start.year
        days = [("04-01", "04-01"), (f"{batch.start:%m-%d}", f"{batch.end:%m-%d}")]
        found: Rows = {}
        scope = "hourly" if batch.hourly else "daily"
        place = ("--scope", scope, "--units", units, "--data-dir", root)
        whom = ("--stations", ",".join(map(str, batch.stations)), "--allow-empty")
        for first, last in days:
            when = ("--start", f"{year}-{first}", "--end", f"{year}-{last}")
            found |= _parsed(typed(["query", *whom, *when, *place, "--format", form]), form)
        return Found(found)

    return WayOut(read, converts=True)


def _frame(frame: pl.DataFrame) -> Found:
    return Found(_rows(frame.to_dicts()))


def _asked(ask: Callable[[cimis.Store, str, str], Found], *, converts: bool = False) -> WayOut:
    def read(root: Path, batch: Batch, units: str, _: Path) -> Found:
        with cimis.open(root) as store:
            return ask(store, "hourly" if batch.hourly else "daily", units)

    return WayOut(read, converts)


def _chunks(root: Path, batch: Batch, _: str, __: Path) -> Found:
    """Each file alone, without the catalog."""
    found: Rows = {}
    for path in sorted(root.rglob(f"*_{'hourly' if batch.hourly else 'daily'}.zst")):
        rows = _rows(cimis.read_chunk(path).to_pylist())
        assert not found.keys() & rows.keys()
        found |= rows
    return Found(found)


def _migrated(root: Path, batch: Batch, units: str, folder: Path) -> Found:
    """V2 to V1 and back, with what was said to be lost."""
    copy = shutil.copytree(root, folder / "copy")
    typed(["migrate", "--data-dir", copy])
    answer = typed(["migrate", "--format", "v1", "--allow-loss", "--json", "--data-dir", copy])
    typed(["migrate", "--data-dir", copy])
    return Found(_chunks(copy, batch, units, folder).rows, Counter(json.loads(answer)["lost"]))


def _published(root: Path, batch: Batch, units: str, folder: Path) -> Found:
    """Read where it was published, and from a pull, which has the same."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CIMIS_CACHE_DIR", str(folder / "kept"))
        with cimis.open(root) as store:
            store.publish(folder / "share")
        cimis.pull(folder / "share", folder / "pulled")
        with cimis.open(folder / "share", cache=0) as afar:
            table = afar.sql(f"from {'hourly' if batch.hourly else 'daily'}").table()
    found = _rows(table.to_pylist())
    assert found.keys() == _chunks(folder / "pulled", batch, units, folder).rows.keys()
    return Found(found)


FORMS = ("csv", "tsv", "json", "ndjson", "parquet", "arrow")
WAYS_OUT: dict[str, WayOut] = {
    **{f"query -o {form}": _saved(form) for form in (*FORMS, "xlsx", "md", "html")},
    **{f"query, {form}": _piped(form) for form in FORMS[:4]},
    "store.sql": _asked(
        lambda s, scope, _: Found(_rows(s.sql(f"from {scope}").table().to_pylist()))
    ),
    "store.daily": _asked(
        lambda s, scope, units: _frame(getattr(s, scope)(units=units)), converts=True
    ),
    "store.scan_daily": _asked(lambda s, scope, _: _frame(getattr(s, f"scan_{scope}")().collect())),
    "store.dataset": _asked(
        lambda s, scope, _: Found(_rows(s.dataset(scope).to_table().to_pylist()))
    ),
    "read_chunk": WayOut(_chunks),
    "published": WayOut(_published),
    "V2 to V1 to V2": WayOut(_migrated),
}
