"""What a question of few rows needs of one chunk's file, in plain Python."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self

from cimis.pipeline.errors import ChunkError, StoreError
from cimis.pipeline.storage import storage_of
from cimis.queries.timing import QueryTimings

if TYPE_CHECKING:
    from cimis.pipeline.catalog.database import ChunkRow
    from cimis.pipeline.chunks.footer import Footer

__all__ = ["Cells", "Facts", "PointChunk", "Runs"]

_MOST_DECIMALS = 6
_EXACT = 10**15

Runs = tuple[tuple[int, int], ...]
Cells = tuple[list[int], dict[int, int]]
"""A column's scaled integers in a block, and the number of its state by row where it has one."""


class Facts(NamedTuple):
    """What a chunk is.

    Attributes
    ----------
    columns : dict
        By item code the decimals, and whether the numbers print otherwise than by their digits.
    states : tuple
        Whether the value is missing, and the flag.
    blocks : tuple
        Of each block its rows' times as runs of first time and count.
    """

    columns: dict[str, tuple[int, bool]]
    states: tuple[tuple[bool, str | None], ...]
    blocks: tuple[Runs, ...]

    @classmethod
    def of_footer(cls, footer: Footer) -> Self:
        """Return what a footer says."""
        columns = {c.code: (c.decimals, _unusual(footer, n)) for n, c in enumerate(footer.columns)}
        states = tuple((state.missing, state.flag) for state in footer.states)
        return cls(columns, states, tuple(block.runs for block in footer.blocks))


def _unusual(footer: Footer, number: int) -> bool:
    """Tell whether a column's numbers print otherwise than by their digits."""
    info = footer.columns[number]
    bounds = [
        b
        for block in footer.blocks
        for b in (block.cells[number].minimum, block.cells[number].maximum)
    ]
    large = any(bound is not None and abs(bound) >= _EXACT for bound in bounds)
    return info.is_double or info.decimals > _MOST_DECIMALS or large


class PointChunk:
    """One chunk, its file open; a context manager.

    Parameters
    ----------
    root : Path
    chunk : ChunkRow
    timings : QueryTimings
    """

    def __init__(self, root: Path, chunk: ChunkRow, timings: QueryTimings) -> None:
        self._timings = timings
        self._file = _File(root / chunk.path, timings)
        try:
            with timings.phase("plan"):
                self._footer = self._checked(chunk)
        except BaseException:
            self._file.close()
            raise

    def _checked(self, listed: ChunkRow) -> Footer:
        """Return the footer of a file that is the one that the catalog lists there."""
        from cimis.pipeline.chunks.key import ChunkKey
        from cimis.pipeline.chunks.v2.container import check_header, parse_footer

        key = ChunkKey(listed.scope, listed.year, station=listed.station, target=listed.target)
        footer = parse_footer(self._file.tail, self._file.size)
        if len(self._file.tail) == self._file.size:
            check_header(self._file.tail, footer.features)
        if footer.key != key:
            raise ChunkError(f"file of {footer.key.name}, not of {key.name}")
        return footer

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._timings.count(bytes_read=self._file.read)
        self._file.close()

    def facts(self) -> Facts:
        """Return what the chunk is."""
        return Facts.of_footer(self._footer)

    def ahead(self, blocks: Sequence[int]) -> None:
        """Hear which blocks are going to be read."""
        if blocks:
            frames = [
                place
                for block in (self._footer.blocks[number] for number in blocks)
                for place in (
                    (block.marks_offset, block.marks_length),
                    *((cell.offset, cell.length) for cell in block.cells),
                )
                if place[1]
            ]
            if frames:
                first = min(start for start, _ in frames)
                with self._timings.phase("read"):
                    self._file.ahead(first, max(start + length for start, length in frames))

    def cells(self, block: int, codes: Sequence[str]) -> dict[str, Cells]:
        """Return columns of a block by item code."""
        with self._timings.phase("decode"):
            found = _decoded(self._file, self._footer, block, codes)
        rows = self._footer.blocks[block].rows
        self._timings.count(blocks_read=1, columns_read=2 * len(codes), rows_decoded=rows)
        return found


def _decoded(file: _File, footer: Footer, block: int, codes: Sequence[str]) -> dict[str, Cells]:
    """Return those of a block's columns that the chunk has."""
    from cimis.queries.point.blocks import BlockColumns

    columns = BlockColumns(file, footer, footer.blocks[block])
    places = {info.code: number for number, info in enumerate(footer.columns)}
    return {code: columns.checked(places[code]) for code in codes}


class _File:
    """An open chunk whose end has been read; a daily one is whole in its end."""

    def __init__(self, path: Path, timings: QueryTimings) -> None:
        from cimis.pipeline.chunks.v2.container import TAIL_BYTES

        with timings.phase("read"):
            try:
                self._file = storage_of(path).open(path)
            except FileNotFoundError:
                raise ChunkError(
                    "is in the catalog but not on disk", hint="run 'cimis verify --repair'"
                ) from None
            except OSError as error:
                raise StoreError(f"cannot read {path}: {error.strerror}") from error
            self.size = self._file.size
            self.tail = memoryview(self._file.read_range(max(0, self.size - TAIL_BYTES), self.size))
        self.read = len(self.tail)
        timings.count(files_opened=1, chunks_read=1)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def ahead(self, start: int, stop: int) -> None:
        """Hear of a range that is going to be read, as far as it is before the end."""
        stop = min(stop, self.size - len(self.tail))
        if start < stop:
            self._file.ahead(start, stop)

    def __getitem__(self, place: slice) -> memoryview:
        begin = self.size - len(self.tail)
        if place.start >= begin:
            return self.tail[place.start - begin : place.stop - begin]
        data = self._file.read_range(place.start, place.stop)
        self.read += len(data)
        return memoryview(data)
