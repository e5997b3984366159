"""Files of the network's archives into chunks, beside what was fetched, by a stated precedence.

A cell that is stored and not missing stays as it is, whatever an archive says; one that is missing,
or not there, is filled. With ``prefer="import"`` the archive's value wins instead. What was filled,
and what differs (kept or replaced), is counted; a V1 chunk that cannot hold it all becomes V2.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from zipfile import is_zipfile as is_zip

import pyarrow as pa
import pyarrow.compute as pc

from cimis.pipeline.archive import ftp, web
from cimis.pipeline.archive.foreign import Foreign, foreign
from cimis.pipeline.archive.settle import settled
from cimis.pipeline.catalog.database import Catalog
from cimis.pipeline.catalog.entry import chunk_row
from cimis.pipeline.chunks import ChunkInfo, ChunkKey, MergeCounts, store_rows
from cimis.pipeline.errors import UsageError
from cimis.pipeline.field.items import Scope, Standard
from cimis.pipeline.lacks import Lacks
from cimis.pipeline.markup import Card, Sheet, counted, sized
from cimis.pipeline.rows.keys import by_station_year
from cimis.pipeline.rows.schema import standard_of

__all__ = ["Intake", "archives_in", "take_in"]


@dataclass(slots=True)
class Intake:
    """What an import did: files and station files read, rows and cells, bytes and time.

    ``new_rows`` were not stored; of the cells of others ``filled`` were missing and got a value, or
    a flag that says why not; ``differing`` are another value than the archive's: kept, or replaced
    where the archive is preferred. One reading that the network wrote in both systems of units is
    one value. ``left_out`` are the files of folders that are no archives, with what each is;
    ``lacks`` tells which stations that were asked for they do not hold.
    """

    files: int = 0
    station_files: int = 0
    stations: set[int] = field(default_factory=set)
    rows: int = 0
    new_rows: int = 0
    filled: int = 0
    differing: int = 0
    chunks: int = 0
    chunk_rows: int = 0
    chunk_bytes: int = 0
    seconds: float = 0.0
    left_out: dict[Path, str] = field(default_factory=dict)
    lacks: Lacks = field(default_factory=Lacks)

    def _card(self) -> Card:
        facts = {
            "read": f"{counted(self.files, 'file')} of {counted(len(self.stations), 'station')}",
            "rows": f"{self.rows:,}, {self.new_rows:,} of them new",
            "cells filled": f"{self.filled:,}",
            "cells that differ": f"{self.differing:,}",
            "stored": f"{counted(self.chunks, 'chunk')}, {sized(self.chunk_bytes)}",
            "seconds": f"{self.seconds:.1f}",
        }
        rows = [(path, what) for path, what in self.left_out.items()]
        sheets = (Sheet.of("Left out", ("file", "what it is"), rows),) if rows else ()
        notes = [self.lacks.text()] if self.lacks else []
        how = "complete" if self.rows and not self.lacks else "less than asked"
        return Card("Intake", f"Import of archives: {how}", facts, sheets, notes)

    def __repr__(self) -> str:
        return self._card().line()

    def _repr_html_(self) -> str:
        return self._card().html()

    def as_dict(self) -> dict[str, float]:
        """Return the facts as JSON-ready values, with rows per second and bytes per row."""
        return {
            "files": self.files,
            "station_files": self.station_files,
            "stations": len(self.stations),
            "rows": self.rows,
            "new_rows": self.new_rows,
            "filled": self.filled,
            "differing": self.differing,
            "chunks": self.chunks,
            "bytes_per_row": round(self.chunk_bytes / max(self.chunk_rows, 1), 2),
            "rows_per_second": round(self.rows / self.seconds) if self.seconds else 0,
            "seconds": round(self.seconds, 3),
        }


def archives_in(paths: Sequence[Path], left_out: dict[Path, str] | None = None) -> list[Path]:
    """Return the files that paths mean: themselves, and of folders the archives below.

    Parameters
    ----------
    paths : sequence of Path
    left_out : dict, optional
        Gets the other files of folders, hidden ones apart, with what each is.

    Raises
    ------
    UsageError
        For a path that is not there, a file that is no archive, and a folder that holds none.
    """
    found: list[Path] = []
    others: dict[Path, str] = {} if left_out is None else left_out
    for path in paths:
        if not path.is_dir():
            if not path.is_file():
                raise UsageError(f"there is no file {path}", hint="check the path")
            if (other := foreign(path)) is not None:
                raise _refused(path, other)
            found.append(path)
            continue
        below = [p for p in sorted(path.rglob("*")) if p.is_file() and p.name[0] != "."]
        known = {p: foreign(p) for p in below}
        for file, other in known.items():
            if other is not None and file.suffix.lower() == ".zip" and not is_zip(file):
                raise _refused(file, other)
        met = {p: other.what for p, other in known.items() if other is not None}
        archives = [p for p in below if p not in met]
        if not archives:
            what = "".join(f"; {p.name} is {what}" for p, what in list(met.items())[:3])
            raise UsageError(
                f"{path} holds no archive of the network{what}",
                hint="FTP zips (dailyStns2016.zip) and web reports (.csv) are read",
            )
        others |= met
        found += archives
    return list(dict.fromkeys(found))


def _refused(path: Path, other: Foreign) -> UsageError:
    return UsageError(f"{path} is no archive of the network, but {other.what}", hint=other.hint)


def take_in(
    root: Path,
    paths: Sequence[Path],
    *,
    stations: Sequence[int] | None = None,
    prefer: str = "stored",
    standard: Standard = Standard.ENGLISH,
    dry_run: bool = False,
    now: dt.datetime,
    on_file: Callable[[Path, int, int], None] = lambda *_: None,
    on_store: Callable[[int, int], None] = lambda *_: None,
) -> Intake:
    """Read archive files and store their rows; nothing is stored before all files were read.

    Parameters
    ----------
    root : Path
        The data directory.
    paths : sequence of Path
        Files and folders; see :func:`archives_in`.
    stations : sequence of int, optional
        By default all in the files.
    prefer : {"stored", "import"}
        Whose value counts where both have one.
    standard : Standard
        Units of FTP files, whose names do not tell; web reports do.
    dry_run : bool
        Read, and count rows; store nothing.
    now : datetime.datetime
        With zone.
    on_file : callable
        Hears of each file before it is read, how many were, and how many there are.
    on_store : callable
        Hears how many tables (of a station, or a web report) are stored, and of how many.

    Raises
    ------
    UsageError
        For a file that is no archive of the network, or damaged; the store is then as it was.
    StoreError, ChunkError
        When a chunk cannot be read or written.
    """
    if prefer not in ("stored", "import"):
        raise UsageError(f"nothing can be preferred as '{prefer}'", hint="choose stored or import")
    began = time.perf_counter()
    done = Intake()
    tables: list[tuple[str, pa.Table]] = []
    files = archives_in(paths, done.left_out)
    for number, path in enumerate(files):
        on_file(path, number, len(files))
        done.files += 1
        for table in _tables(path, standard):
            done.station_files += 1
            kept = table if stations is None else _of(table, stations)
            if kept.num_rows:
                tables.append((path.name, kept))
                done.rows += kept.num_rows
                done.stations.update(kept["station"].unique().to_pylist())
    if not dry_run:
        with Catalog(root, create=True) as catalog:
            for number, (name, table) in enumerate(tables):
                on_store(number, len(tables))
                scope = Scope.HOURLY if "time" in table.schema.names else Scope.DAILY
                for station, year, rows in by_station_year(table):
                    key = ChunkKey(scope, year, station=station)
                    _store(root, catalog, key, rows, name, prefer, now, done)
    done.seconds = time.perf_counter() - began
    return done


def _tables(path: Path, standard: Standard) -> Iterator[pa.Table]:
    if path.suffix.lower() == ".zip" or not web.is_web_report(path):
        yield from (table for _, table in ftp.read_ftp_zip(path, mend=True, standard=standard))
    else:
        yield web.read_web_report(path)


def _of(table: pa.Table, stations: Sequence[int]) -> pa.Table:
    return table.filter(pc.is_in(table["station"], pa.array(stations, pa.uint16())))


def _store(
    root: Path,
    catalog: Catalog,
    key: ChunkKey,
    rows: pa.Table,
    name: str,
    prefer: str,
    now: dt.datetime,
    done: Intake,
) -> None:
    path = key.relative_path().as_posix()
    known = next(iter(catalog.chunks(path=path)), None)

    def settle(old: pa.Table | None, new: pa.Table) -> pa.Table:
        if old is None:
            return new
        cells, filled, differing = settled(
            old, new, key.scope, prefer=prefer, standard=standard_of(rows.schema)
        )
        done.filled += filled
        done.differing += differing
        return cells

    def enter(info: ChunkInfo, counts: MergeCounts) -> None:
        row = chunk_row(
            info,
            source=f"import of {name}" if known is None else known.source,
            provisional_from_s=None if known is None else known.provisional_from_s,
            fetched_at=now,
        )
        catalog.put_chunks([row])
        if counts.revised or counts.filled:
            changed = counts.added, counts.revised, counts.filled
            catalog.put_change(row.path, row.fetched_at, changed)

    stored = store_rows(root, key, rows, format=None, enter=enter, settle=settle)
    done.new_rows += stored.counts.added
    done.chunks += 1
    done.chunk_rows += sum(block.rows for block in stored.info.footer.blocks)
    done.chunk_bytes += stored.info.file_bytes
