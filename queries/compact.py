"""Build the column cache of a scope from its chunks, keeping what a former build has."""

from __future__ import annotations

import json
import os
import shutil
import time
import uuid
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.chunks.disk import disk_errors, locked
from pipeline.items import Scope, scope_items
from pipeline.schema import KEY_FIELDS
from queries.chunk_columns import LETTERS
from queries.chunk_file import read_whole
from queries.column_files import ColumnFile, ValueFile
from queries.columns import CHUNK_FACTS, VERSION, ColumnCache, folder_of
from queries.index import ScopeIndex
from queries.loading import IndexLoader
from queries.timing import QueryTimings
from queries.values import Doubles, Flags, Keys, Part, Scaled

__all__ = ["Compacted", "compact", "discard"]

_MOST_FLAGS = 127
_KEY_TYPES = {"station": "<u2", "date": "<i4", "time": "<i8", "hour": "|u1"}


@dataclass(frozen=True, slots=True)
class Compacted:
    """What a build did: chunks in it, decoded anew and left out, rows, bytes on disk, seconds."""

    scope: str
    chunks: int
    decoded: int
    left_out: int
    rows: int
    bytes: int
    seconds: float


def discard(root: Path) -> int:
    """Delete every column cache of a data directory; return the bytes freed."""
    folder = root / "columns"
    size = sum(f.stat().st_size for f in folder.rglob("*") if f.is_file()) if folder.is_dir() else 0
    with disk_errors(folder, "remove"):
        if folder.is_dir():
            shutil.rmtree(folder)
    return size


def compact(root: Path, scope: Scope) -> Compacted:
    """Bring a scope's column cache up to date: every chunk that is stored now, in order.

    Chunks whose rows a former build has are copied from it, not decoded. Readers go on with what
    they have open; those that come later see the new build, whole.

    Parameters
    ----------
    root : Path
        The data directory.
    scope : Scope

    Raises
    ------
    ChunkError
        When a chunk is damaged; the former build stays.
    StoreError
        When the disk refuses.
    """
    begin = time.perf_counter()
    folder = folder_of(root, scope)
    loader = IndexLoader(root)
    try:
        with locked(root, f"columns-{scope}"):
            build = _Build(root, scope, loader.index(scope))
            with disk_errors(folder, "write"):
                build.write()
            _remove_others(folder, build.generation)
    finally:
        loader.close()
    return Compacted(
        scope=scope.value,
        chunks=len(build.chunks),
        decoded=build.decoded,
        left_out=build.left_out,
        rows=sum(chunk[2] for chunk in build.chunks),
        bytes=sum(f.stat().st_size for f in (folder / build.generation).iterdir()),
        seconds=time.perf_counter() - begin,
    )


class _Build:
    """One build on its way to disk."""

    def __init__(self, root: Path, scope: Scope, index: ScopeIndex) -> None:
        self._root = root
        self._scope = scope
        self._index = index
        self._former = ColumnCache.open(root, scope)
        self.generation = uuid.uuid4().hex
        self._folder = folder_of(root, scope) / self.generation
        self._flags = list(LETTERS)
        self._whole = True
        self.chunks: list[tuple[str, int, int, int, int, str]] = []
        self.decoded = self.left_out = 0

    def write(self) -> None:
        """Write every column, then make the build the current one."""
        self._folder.mkdir(parents=True)
        files: dict[str, ColumnFile] = {}
        try:
            self._open_files(files)
            for part in self._parts():
                self._append(files, part)
            facts = {name: _closed(file) for name, file in files.items()}
            self._publish(facts)
        except BaseException:
            for file in files.values():
                file.abandon()
            shutil.rmtree(self._folder, ignore_errors=True)
            raise

    def _open_files(self, files: dict[str, ColumnFile]) -> None:
        """Open a file for each key, value and flag column of what is stored."""
        for field in KEY_FIELDS[self._scope]:
            files[field.name] = ColumnFile(self._folder / field.name, _KEY_TYPES[field.name])
        names = set(self._index.schema.names)
        for item in scope_items(self._scope):
            if item.column in names:
                files[item.column] = ValueFile(self._folder / item.column)
                files[item.flag_column] = ColumnFile(self._folder / item.flag_column, "|u1")

    def _parts(self) -> Iterator[Part]:
        """Yield each chunk's rows, from the former build or its file."""
        names = [f.name for f in self._index.schema]
        for place, path in enumerate(self._index.paths):
            checksum = self._index.checksums[place]
            part = self._from_former(checksum, int(self._index.rows_of[place]), names)
            if part is None:
                checksum, part = read_whole(self._root / path, names, QueryTimings())
                self.decoded += 1
            if not _fits(part):
                self.left_out += 1
                self._whole = False
                continue
            self._note(place, checksum, part.rows)
            yield part

    def _note(self, place: int, checksum: str, rows: int) -> None:
        """Note a chunk that is in the build, as the catalog knows it."""
        index = self._index
        times = int(index.first_s[place]), int(index.last_s[place])
        self._whole &= checksum == index.checksums[place]
        station = int(index.stations[place])
        self.chunks.append((index.paths[place], station, rows, *times, checksum))

    def _from_former(self, checksum: str, rows: int, names: list[str]) -> Part | None:
        former = self._former
        start = None if former is None else former.first_row(checksum)
        if former is None or start is None:
            return None
        here = [name for name in names if name in former.columns]
        return Part(rows, {n: former.column(n, start, start + rows) for n in here})

    def _append(self, files: dict[str, ColumnFile], part: Part) -> None:
        for name, file in files.items():
            column = part.columns.get(name)
            if isinstance(file, ValueFile):
                absent = Scaled(np.full(part.rows, np.iinfo(np.int16).min, np.int16), 0)
                file.put(column if isinstance(column, Scaled) else absent)
            elif isinstance(column, Flags):
                file.append(self._coded(column))
            elif isinstance(column, Keys):
                file.append(column.values)
            else:
                file.append(np.zeros(part.rows, np.uint8))

    def _coded(self, flags: Flags) -> Any:
        """Return flags by the build's own codes; a letter that is new gets the next one."""
        if flags.letters == tuple(self._flags[: len(flags.letters)]):
            return flags.codes
        self._flags += [letter for letter in flags.letters if letter not in self._flags]
        codes = [0, *(self._flags.index(letter) + 1 for letter in flags.letters)]
        return np.array(codes, np.uint8)[flags.codes]

    def _publish(self, columns: dict[str, Any]) -> None:
        """Put the new build in the place of the former, at once."""
        chunks = np.array(self.chunks, CHUNK_FACTS)
        _write(self._folder / "chunks", chunks.tobytes())
        facts = {
            "version": VERSION,
            "generation": self.generation,
            "rows": int(chunks["rows"].sum()),
            "flags": self._flags,
            "columns": columns,
            "chunks_crc32": zlib.crc32(chunks.tobytes()),
            # a chunk rewritten meanwhile, or left out: the catalog must be asked
            "catalog": self._index.generation if self._whole else None,
            "stored": self._index.stored,
        }
        current = self._folder.parent / "current.json"
        temporary = self._folder / "current.json.tmp"
        _write(temporary, json.dumps(facts).encode())
        temporary.replace(current)


def _write(path: Path, data: bytes) -> None:
    """Write a file and bring it to disk."""
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _fits(part: Part) -> bool:
    """Tell whether a chunk can be in the cache: it holds no doubles, and not a host of flags."""
    return not any(
        isinstance(column, Doubles)
        or (isinstance(column, Flags) and len(column.letters) > _MOST_FLAGS)
        for column in part.columns.values()
    )


def _closed(file: ColumnFile) -> dict[str, Any]:
    crc32 = file.close()
    value = isinstance(file, ValueFile)
    kind = "value" if value else "flag" if file.path.name.endswith("_qc") else "key"
    decimals = file.decimals if isinstance(file, ValueFile) else 0
    return {"kind": kind, "type": file.kind, "decimals": decimals, "crc32": crc32}


def _remove_others(folder: Path, generation: str) -> None:
    """Remove former builds; a reader that has one mapped keeps its files until it closes them."""
    for other in folder.iterdir():
        if other.is_dir() and other.name != generation:
            shutil.rmtree(other, ignore_errors=True)
