"""Every way into a data directory: each stores a batch and says what is now to come out."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
import pyarrow as pa

from cimis.pipeline.archive.intake import take_in
from cimis.pipeline.archive.layouts import columns_of
from cimis.pipeline.care.verify import verify
from cimis.pipeline.catalog.database import Catalog
from cimis.pipeline.catalog.entry import chunk_row
from cimis.pipeline.chunks import ChunkKey, store_rows, write_chunk
from cimis.pipeline.decode import decode
from cimis.pipeline.field.items import Item, Scope, Standard, resolve, scope_items
from cimis.pipeline.rows.schema import FLAG_TYPE, physical_schema
from cimis.pipeline.rows.union import unify
from cimis.store import create
from tests.doors.rows import Batch, Cell, Key, Limits, Rows
from tests.ingest import service

__all__ = ["WAYS_IN", "Given", "WayIn"]

NOW = dt.datetime(2026, 10, 5, tzinfo=dt.UTC)
EPOCH = dt.datetime(1970, 1, 1)  # noqa: DTZ001 - network time has no zone
BLANK: Cell = (None, None)


@dataclass
class Given:
    """What was stored, and by column how many cells the door said that it could not keep."""

    rows: Rows
    losses: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class WayIn:
    """One door: how a batch is stored, what it can carry, and in which units it is asked again."""

    store: Callable[[Path, Batch], Given]
    limits: dict[bool, Limits]
    units: str = "metric"


def scope_of(batch: Batch) -> Scope:
    """Return the scope of a batch."""
    return Scope.HOURLY if batch.hourly else Scope.DAILY


def _items(batch: Batch) -> tuple[Item, ...]:
    return resolve(list(batch.columns), scope_of(batch))


# JSON of the service


def _records(batch: Batch, rows: Rows) -> list[service.Record]:
    items = _items(batch)
    made = []
    for (station, day, hour), cells in rows.items():
        record: service.Record = {
            "Date": day.isoformat(),
            "Julian": str(day.timetuple().tm_yday),
            **({"Hour": f"{hour:02}00"} if batch.hourly else {}),
            "Station": str(station),
            "Standard": "metric",
            "ZipCodes": "93624",
            "Scope": scope_of(batch).value,
        }
        for item in items:
            value, flag = cells.get(item.column, BLANK)
            record[item.json_key] = {"Value": value, "Qc": flag or " ", "Unit": item.unit_metric}
        made.append(record)
    return made


def _decoded(root: Path, batch: Batch) -> Given:
    """The decoder, fed piece by piece, and the chunks' own door."""
    scope, rows = scope_of(batch), batch.rows()
    body = service.body_of(_records(batch, rows))
    pieces = [body[n : n + 501] for n in range(0, len(body), 501)]
    table = unify(decode(pieces, scope=scope, items=_items(batch)))
    with Catalog(root) as catalog:
        for station in batch.stations:
            key = ChunkKey(scope, batch.start.year, station=station)
            own = table.filter(pa.compute.equal(table["station"], pa.scalar(station, pa.uint16())))
            catalog.put_chunks([chunk_row(store_rows(root, key, own).info, source="test")])
    return Given(rows)


def _fetched(root: Path, batch: Batch) -> Given:
    """A real fetch from a server on loopback."""
    rows = batch.rows()

    def bend(asked: service.Asked, _: list[service.Record]) -> list[service.Record]:
        wanted = {k: r for k, r in rows.items() if k[0] in asked.stations}
        return _records(
            batch, {k: r for k, r in wanted.items() if asked.start <= k[1] <= asked.end}
        )

    request = service.wants(
        batch.stations,
        batch.start.isoformat(),
        batch.end.isoformat(),
        scope=scope_of(batch),
        items=_items(batch),
        full=True,
    )
    report = service.run(root, service.Service(bend=bend), request)
    assert report.exit_code == 0, report.as_dict()
    return Given(rows)


# files of the archives


def _ftp(root: Path, batch: Batch, *, flag_first: bool, english: bool) -> Given:
    names = [
        code[4:].replace("-", "_") for code in columns_of(scope_of(batch), flag_first=flag_first)
    ]
    files: dict[int, list[str]] = {}
    for (station, day, hour), cells in batch.rows().items():
        line = io.StringIO()
        writer = csv.writer(line, lineterminator="\r\n")
        parts = [f"{station:04d}" if flag_first else str(station), f"{day:%m/%d/%Y}"]
        parts += [f"{hour}00"] * batch.hourly + [f"{day:%j}"]
        for name in names:
            value, flag = cells.get(name, BLANK)
            text = "--" if value is None else f"  {value}"
            parts += [flag or "*", text] if flag_first else [text, flag or " "]
        writer.writerow(parts)
        files.setdefault(station, []).append(line.getvalue())
    path = root / "in.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for station, lines in files.items():
            name = f"{batch.start.year}{scope_of(batch)}{station:03d}.csv"
            archive.writestr(name, "".join(lines).encode("latin1"))
    standard = Standard.ENGLISH if english else Standard.METRIC
    take_in(root, [path], standard=standard, now=NOW)
    path.unlink()
    return Given(batch.rows())


_WEB = {
    False: {
        "eto": ("ETo", "(mm)", "(in)"),
        "precip": ("Precip", "(mm)", "(in)"),
        "sol_rad_avg": ("Sol Rad", "(W/sq.m)", "(Ly/day)"),
        "vap_pres_avg": ("Avg Vap Pres", "(kPa)", "(mBars)"),
        "air_tmp_max": ("Max Air Temp", "(C)", "(F)"),
        "air_tmp_avg": ("Avg Air Temp", "(C)", "(F)"),
        "rel_hum_avg": ("Avg Rel Hum", "(%)", "(%)"),
        "wind_spd_avg": ("Avg Wind Speed", "(m/s)", "(mph)"),
    },
    True: {
        "eto": ("ETo", "(mm)", "(in)"),
        "precip": ("Precip", "(mm)", "(in)"),
        "sol_rad": ("Sol Rad", "(W/sq.m)", "(Ly/day)"),
        "net_rad": ("Net Rad", "(W/sq.m)", "(Ly/day)"),
        "air_tmp": ("Air Temp", "(C)", "(F)"),
        "rel_hum": ("Rel Hum", "(%)", "(%)"),
        "wind_dir": ("Wind Dir", "(0-360)", "(0-360)"),
    },
}


def _report(path: Path, batch: Batch, rows: Rows, *, english: bool = False) -> Path:
    """Write a web report."""
    columns = _WEB[batch.hourly]
    head = ["Stn Id", "Stn Name", "CIMIS Region", "Date", *["Hour (PST)"] * batch.hourly, "Jul"]
    for name, *units in columns.values():
        head += [f"{name} {units[english]}", "qc"]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(head)
    for (station, day, hour), cells in rows.items():
        line = [str(station), "Name", "Region", f"{day.month}/{day.day}/{day.year}"]
        line += [f"{hour:02}00"] * batch.hourly + [f"{day:%j}"]
        for column in columns:
            value, flag = cells.get(column, BLANK)
            line += [value or "", flag or " "]
        writer.writerow(line)
    path.write_bytes(text.getvalue().encode("latin1") + b" " * 100)
    return path


def _web(root: Path, batch: Batch, *, english: bool = False) -> Given:
    path = _report(root / "in.csv", batch, batch.rows(), english=english)
    take_in(root, [path], now=NOW)
    path.unlink()
    return Given(batch.rows())


# tables


def _instant(key: Key) -> dt.datetime:
    _, day, hour = key
    return dt.datetime.combine(day, dt.time()) + dt.timedelta(hours=hour)


def _columns(
    keys: Iterable[Key], rows: Rows, batch: Batch, columns: Iterable[str]
) -> dict[str, list[object]]:
    chosen = sorted(keys)
    made: dict[str, list[object]] = {"station": [key[0] for key in chosen]}
    if batch.hourly:
        made["time"] = [_instant(key) for key in chosen]
    made["date"] = [key[1] for key in chosen]
    if batch.hourly:
        made["hour"] = [key[2] for key in chosen]
    for column in columns:
        cells = [rows[key].get(column, BLANK) for key in chosen]
        made[column] = [None if value is None else float(value) for value, _ in cells]
        made[f"{column}_qc"] = [flag for _, flag in cells]
    return made


def _per_station(batch: Batch, rows: Rows) -> Iterable[tuple[ChunkKey, dict[str, list[object]]]]:
    for station in sorted({key[0] for key in rows}):
        keys = [key for key in rows if key[0] == station]
        names = dict.fromkeys(name for key in keys for name in rows[key])
        made = _columns(keys, rows, batch, names)
        yield ChunkKey(scope_of(batch), batch.start.year, station=station), made


def _kinds(columns: dict[str, list[object]], unit: str = "us") -> dict[str, pa.DataType]:
    """Return the types that other tools give such columns."""
    keys = {
        "station": pa.int64(),
        "time": pa.timestamp(unit),
        "date": pa.date32(),
        "hour": pa.int64(),
    }
    flags = {name: pa.string() for name in columns if name.endswith("_qc")}
    return {name: (keys | flags).get(name, pa.float64()) for name in columns}


def _plain(columns: dict[str, list[object]]) -> pa.Table:
    """A table as anybody makes one: no metadata."""
    return pa.table({n: pa.array(columns[n], k) for n, k in _kinds(columns).items()})


def _of_polars(columns: dict[str, list[object]]) -> pa.Table:
    own: dict[str, pl.DataType | type[pl.DataType]] = {
        "station": pl.Int64,
        "time": pl.Datetime("us"),
        "date": pl.Date,
        "hour": pl.Int64,
    }
    types = {
        name: own.get(name, pl.String if name.endswith("_qc") else pl.Float64) for name in columns
    }
    return pl.DataFrame(columns, schema=types).to_arrow()


def _of_pandas(columns: dict[str, list[object]]) -> pa.Table:
    """A table in pandas' form: missing numbers are NaN, times count nanoseconds."""
    numbers = {n for n, k in _kinds(columns).items() if k == pa.float64()}
    whole = {
        name: [float("nan") if v is None else v for v in cells] if name in numbers else cells
        for name, cells in columns.items()
    }
    made = pa.table({n: pa.array(whole[n], k) for n, k in _kinds(columns, "ns").items()})
    facts = {"index_columns": [], "columns": [], "creator": {"library": "pyarrow"}}
    return made.replace_schema_metadata({b"pandas": json.dumps(facts).encode()})


def _typed(columns: dict[str, list[object]]) -> pa.Table:
    """A table in the form that `read_chunk` gives: types and metadata of the product."""
    scope = Scope.HOURLY if "hour" in columns else Scope.DAILY
    items = [item for item in scope_items(scope) if item.column in columns]
    schema = physical_schema(scope, items)
    arrays = [
        pa.array(columns[f.name]).dictionary_encode().cast(FLAG_TYPE)
        if f.type == FLAG_TYPE and any(columns[f.name])
        else pa.array(columns[f.name], f.type)
        for f in schema
    ]
    return pa.table(arrays, schema=schema)


def _written(
    make: Callable[[dict[str, list[object]]], pa.Table], form: str = "v2"
) -> Callable[[Path, Batch], Given]:
    """Return a door: chunks written from tables, and the directory's catalog made from them."""

    def store(root: Path, batch: Batch) -> Given:
        return _write(root, batch, batch.rows(), make, form)

    return store


def _write(
    root: Path,
    batch: Batch,
    rows: Rows,
    make: Callable[[dict[str, list[object]]], pa.Table],
    form: str,
) -> Given:
    losses: Counter[str] = Counter()
    for key, columns in _per_station(batch, rows):
        path = key.path(root)
        path.parent.mkdir(parents=True, exist_ok=True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # that NaN is taken for missing
            losses.update(write_chunk(path, make(columns), format=form).losses)
    assert verify(root, repair=True).sound
    return Given(rows, losses)


# over what is stored

_STORED: dict[bool, dict[str, Cell]] = {
    False: {"air_tmp_avg": ("7.5", None), "wind_spd_avg": ("2.5", None)},
    True: {"air_tmp": ("7.5", None), "wind_spd": ("2.5", None), "wind_dir": ("90", None)},
}


def _before(batch: Batch) -> Rows:
    """Return rows that V1 holds too: of every other key of the batch, and of one more an owner."""
    own = dict(_STORED[batch.hourly])
    rows = {key: dict(own) for place, key in enumerate(sorted(batch.rows())) if place % 2}
    for station in batch.stations:
        rows[station, dt.date(batch.start.year, 4, 1), 24 * batch.hourly] = dict(own)
    return rows


def _over(
    form: str, came: Callable[[Path, Batch], Given], *, stored_wins: bool
) -> Callable[[Path, Batch], Given]:
    """Return a door: rows that come over stored ones.

    A fetch replaces what it asked for; an import fills what is missing.
    """

    def store(root: Path, batch: Batch) -> Given:
        before = _before(batch)
        assert not _write(root, batch, before, _typed, form).losses
        new = came(root, batch).rows
        due = {key: dict(cells) for key, cells in before.items()}
        for key, cells in new.items():
            told = due.setdefault(key, {})
            for column in batch.columns if not stored_wins else cells:
                if not (stored_wins and told.get(column, BLANK)[0] is not None):
                    told[column] = cells.get(column, BLANK)
        return Given(due)

    return store


# what doors can carry

_ODD = ('"', ",", "a,b", "NA", "nan", "\\", "'", "=1", "V", "1", "-")
_LETTERS = ("R", "Y", "H", "M", "N", "P", "S", "I", "Q", "N/A", "N/C", "xyz")


def _all(hourly: bool) -> tuple[str, ...]:
    return tuple(item.column for item in scope_items(Scope.HOURLY if hourly else Scope.DAILY))


def _archived(hourly: bool) -> tuple[str, ...]:
    scope = Scope.HOURLY if hourly else Scope.DAILY
    return tuple(code[4:].replace("-", "_") for code in columns_of(scope, flag_first=False))


def _limits(
    columns: Callable[[bool], Iterable[str]],
    decimals: int,
    whole: int,
    flags: tuple[str, ...],
    *,
    english: bool = False,
) -> dict[bool, Limits]:
    made = {}
    for hourly in (False, True):
        items = scope_items(Scope.HOURLY if hourly else Scope.DAILY)
        fewer = {item.column: item.decimals_english for item in items} if english else {}
        made[hourly] = Limits(tuple(columns(hourly)), decimals, whole, flags, fewer)
    return made


_ANY = _limits(_all, 6, 1_000_000, _LETTERS + _ODD)
_TABLES = _limits(_all, 6, 1_000_000, (*_LETTERS, *_ODD, "é", "°C"))
_FTP = _limits(_archived, 3, 5_000, (*_LETTERS, "é"))
_REPORTS = _limits(lambda hourly: _WEB[hourly], 3, 5_000, (*_LETTERS, '"', ",", "1", "NA", "é"))
_ENGLISH = _limits(_archived, 2, 150, _LETTERS, english=True)
_ENGLISH_REPORTS = _limits(lambda hourly: _WEB[hourly], 2, 150, _LETTERS, english=True)
_V1 = _limits(
    lambda hourly: (
        ("air_tmp", "asce_eto", "wind_spd", "wind_dir", "rel_hum", "precip", "dew_pnt")
        if hourly
        else ("air_tmp_avg", "asce_eto", "wind_spd_avg", "rel_hum_avg", "sol_rad_avg", "dew_pnt")
    ),
    3,
    400,
    _LETTERS,
)


WAYS_IN: dict[str, WayIn] = {
    "API JSON, decoded": WayIn(_decoded, _ANY),
    "API JSON, fetched": WayIn(_fetched, _ANY),
    "FTP zip, value first": WayIn(
        lambda root, batch: _ftp(root, batch, flag_first=False, english=False), _FTP
    ),
    "FTP zip, flag first": WayIn(
        lambda root, batch: _ftp(root, batch, flag_first=True, english=False), _FTP
    ),
    "FTP zip, value first, English": WayIn(
        lambda root, batch: _ftp(root, batch, flag_first=False, english=True),
        _ENGLISH,
        "english",
    ),
    "FTP zip, flag first, English": WayIn(
        lambda root, batch: _ftp(root, batch, flag_first=True, english=True),
        _ENGLISH,
        "english",
    ),
    "web report": WayIn(_web, _REPORTS),
    "web report, English": WayIn(
        lambda root, batch: _web(root, batch, english=True), _ENGLISH_REPORTS, "english"
    ),
    "Arrow table, plain": WayIn(_written(_plain), _TABLES),
    "Arrow table, typed": WayIn(_written(_typed), _TABLES),
    "Polars": WayIn(_written(_of_polars), _TABLES),
    "pandas": WayIn(_written(_of_pandas), _TABLES),
    "V1 chunk": WayIn(_written(_typed, "v1"), _V1),
    "fetch over V2": WayIn(_over("v2", _fetched, stored_wins=False), _ANY),
    "fetch over V1": WayIn(_over("v1", _fetched, stored_wins=False), _ANY),
    "import over V2": WayIn(_over("v2", _web, stored_wins=True), _REPORTS),
    "import over V1": WayIn(_over("v1", _web, stored_wins=True), _REPORTS),
}


def stored(name: str, root: Path, batch: Batch) -> Given:
    """Store a batch by a door in a data directory of its own."""
    create(root).close()
    return WAYS_IN[name].store(root, batch)
