"""Read many chunk files: in bulk what is of ordinary form, one by one what is not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from heapq import merge
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa

from cimis.pipeline.chunks.bulk.heads import Heads
from cimis.pipeline.chunks.bulk.physical import Form, Together
from cimis.pipeline.chunks.bulk.records import decode_records
from cimis.pipeline.chunks.bulk.together import decode_together
from cimis.pipeline.chunks.footer import ColumnInfo
from cimis.pipeline.chunks.key import ChunkKey
from cimis.pipeline.chunks.v1 import codec as v1
from cimis.pipeline.chunks.v2 import codec as v2
from cimis.pipeline.chunks.v2.container import parse_footer
from cimis.pipeline.errors import ChunkError
from cimis.pipeline.field.items import Scope
from cimis.pipeline.field.site import SiteKind
from cimis.pipeline.field.time import PER_DAY
from cimis.pipeline.rows.values import to_physical
from cimis.pipeline.storage import storage_of
from cimis.pipeline.storage.checksum import checksum_of

__all__ = ["ChunkFile", "Damaged", "Decoded", "read_many"]

BATCH_ROWS = 262_144
_YEAR_ROWS = {scope: 366 * PER_DAY[scope] for scope in Scope}
_BATCHES = 3  # that are read at once: following the fields of footers takes as long for many files
_MOST_BYTES = 1 << 25
_HINT = "'cimis verify --repair' sets a damaged chunk aside"


@dataclass(frozen=True, slots=True)
class ChunkFile:
    """One file to read, and what it is to hold."""

    path: Path
    key: ChunkKey


@dataclass(frozen=True, slots=True)
class Decoded:
    """Rows of some files one after the other: which of the given files, in the order given.

    ``rows`` are those of each file, ``checksums`` (BLAKE2b-128, hex, as in the catalog) of the very
    bytes that were decoded, and ``columns`` what each file has, wanted or not.
    """

    places: list[int]
    rows: list[int]
    checksums: list[str]
    columns: list[tuple[ColumnInfo, ...]]
    table: pa.Table


@dataclass(frozen=True, slots=True)
class Damaged:
    """A file that is damaged, gone, or not what its key says; ``place`` is that among the given."""

    place: int
    error: ChunkError


def read_many(
    files: Sequence[ChunkFile],
    *,
    columns: Sequence[str] | None = None,
    batch_rows: int = BATCH_ROWS,
) -> Iterator[Decoded | Damaged]:
    """Yield the physical rows of chunk files, V1 or V2, checked as `read_chunk` checks them.

    Every place is told once, as decoded or as damaged; decoded places ascend. Files of different
    scopes, or stations and spatial targets, may be mixed: a table is of one kind.

    Parameters
    ----------
    files : sequence of ChunkFile
    columns : sequence of str, optional
        Value and flag columns wanted, None = all of the scope. Only their frames are checked.
    batch_rows : int
        About how many rows are held at a time: a table has at most so many, or one chunk's.

    Yields
    ------
    Decoded
        Its table has ``station`` (uint16; or ``target``, string) and ``date`` (hourly: ``time``,
        ``date``, ``hour``), then in registry order float64 values and int8-coded texts of flags,
        null where absent, missing or passed. Only scope, kind and ``columns`` decide the schema.
    Damaged
        Never ends the others.

    Raises
    ------
    StoreError
        For a column that the scope has not.
    """
    heads = Heads()
    for start, stop, (scope, kind) in _stretches(files):
        form = Form.of(scope, columns, kind)
        most = _BATCHES * max(1, batch_rows // _YEAR_ROWS[scope])
        place = start
        while place < stop:
            taken = _Taken(files, place, min(place + most, stop))
            place = taken.stop
            yield from taken.damaged
            yield from taken.decoded(form, heads, batch_rows)


def _stretches(
    files: Sequence[ChunkFile],
) -> Iterator[tuple[int, int, tuple[Scope, SiteKind]]]:
    """Yield the longest stretches of files of one scope and kind of key."""
    start = 0
    kinds = [(file.key.scope, file.key.kind) for file in files]
    for stop in range(1, len(kinds) + 1):
        if stop == len(kinds) or kinds[stop] != kinds[start]:
            yield start, stop, kinds[start]
            start = stop


@dataclass(frozen=True, slots=True)
class _Piece:
    """Rows of consecutive files among those taken."""

    numbers: range
    rows: list[int]
    columns: list[tuple[ColumnInfo, ...]]
    table: pa.Table


class _Taken:
    """The bytes of some files, from ``start`` on, up to ``stop`` or as many as memory is for."""

    def __init__(self, files: Sequence[ChunkFile], start: int, stop: int) -> None:
        self._files = files
        self._places: list[int] = []
        self._datas: list[bytes] = []
        self.damaged: list[Damaged] = []
        size = 0
        self.stop = start
        storage_of(files[start].path).ahead([file.path for file in files[start:stop]])
        while self.stop < stop and size < _MOST_BYTES:
            try:
                data = _bytes_of(files[self.stop].path)
                self._places.append(self.stop)
                self._datas.append(data)
                size += len(data)
            except ChunkError as error:
                self.damaged.append(Damaged(self.stop, error))
            self.stop += 1

    def decoded(self, form: Form, heads: Heads, batch_rows: int) -> Iterator[Decoded | Damaged]:
        """Yield what the files hold; a file's damage before the table that it is not in."""
        pieces: list[_Piece] = []
        held = 0
        for piece in self._pieces(form, heads, batch_rows):
            if isinstance(piece, Damaged):
                yield piece
                continue
            if pieces and held + piece.table.num_rows > batch_rows:
                yield self._joined(pieces)
                pieces, held = [], 0
            pieces.append(piece)
            held += piece.table.num_rows
        if pieces:
            yield self._joined(pieces)

    def _pieces(self, form: Form, heads: Heads, batch_rows: int) -> Iterator[_Piece | Damaged]:
        """Yield the files' rows in order; what bulk decoding leaves out is read one by one."""
        keys = [self._files[place].key for place in self._places]
        old = np.array([not v2.is_v2(data[:4]) for data in self._datas])
        new_rows = decode_together(self._datas, keys, form, heads, batch_rows)
        old_rows = decode_records(self._datas, keys, np.flatnonzero(old), form, batch_rows)
        due = 0
        for piece in merge(_runs(new_rows), _runs(old_rows), key=lambda piece: piece.numbers[0]):
            for number in range(due, piece.numbers.start):
                yield self._alone(number, form)
            yield piece
            due = piece.numbers.stop
        for number in range(due, len(self._datas)):
            yield self._alone(number, form)

    def _alone(self, number: int, form: Form) -> _Piece | Damaged:
        """Return the rows of one file as the reader of single chunks gives them."""
        place = self._places[number]
        file = self._files[place]
        try:
            columns, rows = _by_reference(self._datas[number], file, form)
            table = form.of_reference(rows, file.key)
        except ChunkError as error:
            told = ChunkError(
                error.reason, path=file.path, offset=error.offset, hint=error.hint or _HINT
            )
            return Damaged(place, told)
        return _Piece(range(number, number + 1), [table.num_rows], [columns], table)

    def _joined(self, pieces: list[_Piece]) -> Decoded:
        numbers = [number for piece in pieces for number in piece.numbers]
        return Decoded(
            [self._places[number] for number in numbers],
            [rows for piece in pieces for rows in piece.rows],
            [checksum_of(self._datas[number]) for number in numbers],
            [columns for piece in pieces for columns in piece.columns],
            pa.concat_tables([piece.table for piece in pieces]),
        )


def _runs(tables: Iterable[Together]) -> Iterator[_Piece]:
    """Yield the rows of those files that follow one another."""
    for found in tables:
        cuts = np.flatnonzero(np.diff(found.files) != 1) + 1
        before = np.cumsum(found.rows) - found.rows
        for first, last in pairwise([0, *cuts.tolist(), found.files.size]):
            numbers = range(int(found.files[first]), int(found.files[last - 1]) + 1)
            rows = found.rows[first:last].tolist()
            table = found.table.slice(int(before[first]), sum(rows))
            yield _Piece(numbers, rows, found.columns[first:last], table)


def _by_reference(
    data: bytes, file: ChunkFile, form: Form
) -> tuple[tuple[ColumnInfo, ...], pa.Table]:
    """Return what columns a file has, and its physical rows with those of the form."""
    if not v2.is_v2(data[:4]):
        return v1.columns_of(file.key.scope), to_physical(v1.decode(data, file.key))
    footer = parse_footer(data, len(data))
    if footer.key != file.key:
        raise ChunkError(f"file of {footer.key.name}, not of {file.key.name}")
    names = None if form.all_items else form.schema.names
    return footer.columns, to_physical(v2.decode_scaled(data, columns=names))


def _bytes_of(path: Path) -> bytes:
    """Return a file's bytes."""
    try:
        return storage_of(path).read(path)
    except FileNotFoundError:
        raise ChunkError(
            "is in the catalog but not on disk", path=path, hint="run 'cimis verify --repair'"
        ) from None
    except OSError as error:
        raise ChunkError(f"cannot be read: {error.strerror}", path=path) from None
