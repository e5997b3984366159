"""Rewrite the chunks of a data directory in the other format, one by one and each atomically.

A run that was ended goes on where it stopped: chunks that have the form already are left alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from cimis.pipeline.catalog.database import Catalog, ChunkRow
from cimis.pipeline.catalog.entry import chunk_row
from cimis.pipeline.chunks import ChunkInfo, ChunkKey, MergeCounts, read_scaled, store_rows
from cimis.pipeline.chunks.files import first_form, load, parts_of
from cimis.pipeline.chunks.v1 import codec as v1
from cimis.pipeline.chunks.v2 import codec as v2
from cimis.pipeline.chunks.v2.grid import grid_of
from cimis.pipeline.errors import ChunkError, StoreError
from cimis.pipeline.lacks import Lacks
from cimis.pipeline.markup import Card, Sheet, counted, sized
from cimis.pipeline.storage import storage_of
from cimis.pipeline.storage.refusals import disk_errors

__all__ = ["Migration", "Rewritten", "forecast", "migrate", "pending"]

OnChunk = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Rewritten:
    """One chunk: path below the data directory, bytes before and after, what the form cannot hold.

    ``losses`` counts values and flags by column, and V1 records by a bit that V2 does not keep;
    ``error`` says why the chunk stayed as it was.
    """

    path: str
    bytes_before: int
    bytes_after: int
    losses: dict[str, int]
    error: str | None = None


@dataclass(slots=True)
class Migration:
    """What a migration did, or would do; ``lacks`` tells of which stations there are no chunks."""

    form: str
    chunks: list[Rewritten] = field(default_factory=list)
    lacks: Lacks = field(default_factory=Lacks)

    @property
    def done(self) -> list[Rewritten]:
        """The chunks that have the form now, or would have it."""
        return [chunk for chunk in self.chunks if chunk.error is None]

    @property
    def failed(self) -> list[Rewritten]:
        """The chunks that stayed as they were."""
        return [chunk for chunk in self.chunks if chunk.error is not None]

    @property
    def losses(self) -> dict[str, int]:
        """Values and flags, by column, that the form does not hold."""
        found: Counter[str] = Counter()
        for chunk in self.done:
            found.update(chunk.losses)
        return dict(sorted(found.items()))

    def _card(self) -> Card:
        done, failed, losses = self.done, self.failed, self.losses
        facts = {
            "chunks": f"{len(done):,}",
            "bytes before": sized(sum(chunk.bytes_before for chunk in done)),
            "bytes after": sized(sum(chunk.bytes_after for chunk in done)),
            "lost": ", ".join(f"{name} {count:,}" for name, count in losses.items()) or "nothing",
        }
        rows = [(chunk.path, chunk.error) for chunk in failed]
        sheets = (Sheet.of("Stayed as they were", ("file", "why"), rows),) if rows else ()
        notes = [self.lacks.text()] if self.lacks else []
        if failed:
            notes.append("next: verify(repair=True) sets damaged chunks aside")
        what = f"Migration to {self.form}"
        how = f"{counted(len(failed), 'chunk')} failed" if failed else "complete"
        return Card("Migration", f"{what}: {how}", facts, sheets, notes)

    def __repr__(self) -> str:
        return self._card().line()

    def _repr_html_(self) -> str:
        return self._card().html()

    def as_dict(self) -> dict[str, Any]:
        """Return the facts as JSON-ready values."""
        done = self.done
        return {
            "format": self.form,
            "chunks": len(done),
            "bytes_before": sum(chunk.bytes_before for chunk in done),
            "bytes_after": sum(chunk.bytes_after for chunk in done),
            "lost": self.losses,
            "failed": [{"path": c.path, "error": c.error} for c in self.failed],
            "rewritten": [asdict(chunk) for chunk in done],
        }


def pending(root: Path, chunks: Iterable[ChunkRow], form: str) -> list[ChunkRow]:
    """Return the chunks that are not of a form, by their files' first bytes and by the catalog."""
    return [c for c in chunks if c.format != form or _form(root / c.path) not in {form, None}]


def _form(path: Path) -> str | None:
    """Return a file's form; None where there is no file."""
    return first_form(path) if storage_of(path).exists(path) else None


def forecast(
    root: Path, chunks: Sequence[ChunkRow], form: str, *, on_chunk: OnChunk | None = None
) -> Migration:
    """Return what `migrate` would do; every chunk is encoded in memory, and nothing is written."""

    def encoded(chunk: ChunkRow) -> tuple[int, dict[str, int]]:
        key = _key(chunk)
        unread = _unread(root / chunk.path, chunk, form)
        _, parts = parts_of(load(root / chunk.path), root / chunk.path, key)
        if form == "v1":
            data, losses, _ = v1.encode_parts(parts, key)
            return len(data), losses
        return len(v2.encode_grid(grid_of(parts), key)), unread

    return _each(root, chunks, form, encoded, on_chunk)


def migrate(
    root: Path,
    chunks: Sequence[ChunkRow],
    form: str,
    *,
    target: Path | None = None,
    on_chunk: OnChunk | None = None,
) -> Migration:
    """Write chunks in a form, each read back before it takes the old one's place.

    Parameters
    ----------
    root : Path
        The data directory.
    chunks : sequence of ChunkRow
    form : {"v2", "v1"}
    target : Path, optional
        Another data directory, with a catalog, that gets the chunks; in place where not given.
    on_chunk : callable, optional
        Hears how many chunks of how many are done.

    Raises
    ------
    StoreError
        When a disk refuses. A damaged chunk is no error: it is told of and stays as it was.
    """
    place = target or root
    with Catalog(place) as catalog:

        def written(chunk: ChunkRow) -> tuple[int, dict[str, int]]:
            unread = _unread(root / chunk.path, chunk, form)
            rows = read_scaled(root / chunk.path)
            if target is None:
                rows = rows.slice(0, 0)  # the store merges what is there when it has the lock

            def enter(info: ChunkInfo, _counts: MergeCounts) -> None:
                said = next(iter(catalog.chunks(path=chunk.path)), chunk)
                catalog.put_chunks([_row(info, said)])

            stored = store_rows(place, _key(chunk), rows, format=form, enter=enter)
            return stored.info.file_bytes, stored.info.losses | unread

        return _each(root, chunks, form, written, on_chunk)


def _unread(path: Path, chunk: ChunkRow, form: str) -> dict[str, int]:
    """Return what the records of a V1 file say that V2 has no place for."""
    if form == "v1" or _form(path) != "v1":
        return {}
    return v1.unread_bits(load(path), chunk.scope)


def _each(
    root: Path,
    chunks: Sequence[ChunkRow],
    form: str,
    work: Callable[[ChunkRow], tuple[int, dict[str, int]]],
    on_chunk: OnChunk | None,
) -> Migration:
    found = Migration(form)
    storage = storage_of(root)
    for count, chunk in enumerate(chunks, 1):
        size = chunk.file_bytes
        try:
            with disk_errors(root / chunk.path, "read"):
                size, _ = storage.standing(root / chunk.path)
            after, losses = work(chunk)
            found.chunks.append(Rewritten(chunk.path, size, after, losses))
        except ChunkError as error:
            found.chunks.append(Rewritten(chunk.path, size, size, {}, error.fault))
        except StoreError as error:
            if storage.exists(root / chunk.path):
                raise
            found.chunks.append(Rewritten(chunk.path, size, size, {}, error.fault))
        if on_chunk is not None:
            on_chunk(count, len(chunks))
    return found


def _key(chunk: ChunkRow) -> ChunkKey:
    return ChunkKey(chunk.scope, chunk.year, station=chunk.station, target=chunk.target)


def _row(info: ChunkInfo, said: ChunkRow) -> ChunkRow:
    """Return the catalog's row of a rewritten chunk, with all that is known of its rows' origin."""
    return chunk_row(
        info,
        source=said.source,
        provisional_from_s=said.provisional_from_s,
        fetched_at=datetime.fromisoformat(said.fetched_at),
    )
