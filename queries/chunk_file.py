"""Rows of one chunk file, V1 or V2: opened once, and read no further than needed."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pipeline.chunks.footer import Footer
from pipeline.chunks.key import ChunkKey
from pipeline.chunks.v2 import is_v2
from pipeline.errors import ChunkError, StoreError
from queries.chunk_columns import FileBytes, blocks_of_v2, rows_of_v1
from queries.timing import QueryTimings
from queries.values import Part

__all__ = ["read_part", "read_whole"]

_TAIL_BYTES = 1 << 14


def read_part(
    path: Path,
    names: Sequence[str],
    timings: QueryTimings,
    wanted: Callable[[Footer], Sequence[int]] | None = None,
) -> Part:
    """Return rows of a chunk, reading only the frames that they need.

    Parameters
    ----------
    path : Path
    names : sequence of str
        Columns to decode; one that the chunk lacks is left out.
    timings : QueryTimings
    wanted : function, optional
        From the footer to the numbers of the blocks to read; by default all. V1 has one block.

    Raises
    ------
    ChunkError
        When the file is damaged, of an unknown version, or gone.
    """
    with _opened(path, timings) as handle:
        with timings.phase("read"):
            size = os.fstat(handle).st_size
            tail = os.pread(handle, min(size, _TAIL_BYTES), max(size - _TAIL_BYTES, 0))
            first = tail[:4] if size <= _TAIL_BYTES else os.pread(handle, 4, 0)
            if not is_v2(first) and size > _TAIL_BYTES:
                tail = os.pread(handle, size, 0)
        return _part(path, FileBytes(tail, size, handle), first, names, timings, wanted)


def read_whole(path: Path, names: Sequence[str], timings: QueryTimings) -> tuple[str, Part]:
    """Return the checksum of a chunk's file as it is now, and all its rows.

    The checksum is that of the catalog (BLAKE2b-128), of the very bytes that the rows come from.
    """
    with _opened(path, timings) as handle:
        with timings.phase("read"):
            size = os.fstat(handle).st_size
            data = os.pread(handle, size, 0)
            checksum = hashlib.blake2b(data, digest_size=16).hexdigest()
        part = _part(path, FileBytes(data, len(data), handle), data[:4], names, timings, None)
    return checksum, part


@contextmanager
def _opened(path: Path, timings: QueryTimings) -> Iterator[int]:
    """Open a chunk for reading; errors inside the block name the file."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        raise ChunkError(
            "is in the catalog but not on disk", path=path, hint="run 'cimis verify --repair'"
        ) from None
    except OSError as error:
        raise StoreError(f"cannot read {path}: {error.strerror}") from error
    timings.count(files_opened=1, chunks_read=1)
    try:
        yield handle
    except ChunkError as error:
        if error.path is not None:
            raise
        raise ChunkError(
            error.reason,
            path=path,
            offset=error.offset,
            hint=error.hint or "'cimis verify --repair' sets a damaged chunk aside",
        ) from None
    except OSError as error:
        raise StoreError(f"cannot read {path}: {error.strerror}") from error
    finally:
        os.close(handle)


def _part(
    path: Path,
    file: FileBytes,
    first: bytes,
    names: Sequence[str],
    timings: QueryTimings,
    wanted: Callable[[Footer], Sequence[int]] | None,
) -> Part:
    if is_v2(first):
        return blocks_of_v2(file, ChunkKey.of_path(path), names, timings, wanted)
    return rows_of_v1(bytes(file.tail), ChunkKey.of_path(path), names, timings)
