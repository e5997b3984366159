"""Writers of a data directory as a fetch has them: a chunk's file, then its row, under one lock."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from cimis.pipeline.catalog.database import Catalog
from cimis.pipeline.catalog.entry import chunk_row
from cimis.pipeline.chunks.files import ChunkInfo
from cimis.pipeline.chunks.key import ChunkKey
from cimis.pipeline.chunks.merge import MergeCounts
from cimis.pipeline.chunks.storing import store_rows

__all__ = ["stored", "stored_slowly"]


def stored(
    root: Path, key: ChunkKey, table: pa.Table, *, between: Callable[[], object] = lambda: None
) -> None:
    """Merge rows into a chunk; ``between`` is called when its file is there and its row is not."""

    def enter(info: ChunkInfo, _counts: MergeCounts) -> None:
        between()
        with Catalog(root) as catalog:
            catalog.put_chunks([chunk_row(info, source="test")])

    store_rows(root, key, table, enter=enter)


@contextmanager
def stored_slowly(root: Path, key: ChunkKey, table: pa.Table) -> Iterator[None]:
    """Do the same in a thread that, as the block begins, stays between the two for a while."""
    written, told = threading.Event(), threading.Event()

    def between() -> None:
        written.set()
        told.wait(30)

    arguments = {"between": between}
    writer = threading.Thread(target=stored, args=(root, key, table), kwargs=arguments)
    writer.start()
    try:
        assert written.wait(30)
        threading.Timer(0.3, told.set).start()
        yield
    finally:
        told.set()
        writer.join()
