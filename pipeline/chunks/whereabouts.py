"""Where chunk files are found: at their places, and as archives of the older program have them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from cimis.pipeline.chunks.key import ChunkKey
from cimis.pipeline.errors import StoreError
from cimis.pipeline.field.items import Scope
from cimis.pipeline.storage import storage_of

__all__ = ["chunk_files", "named_key"]

_PLACES = ("*.zst", "*/*.zst", "stations/*/*.zst", "spatial/*/*/*.zst")
_WHOLE = re.compile(
    r"(?:station[_-]?)?([0-9]{1,5})[_-]([0-9]{4})[_-](daily|hourly)\.zst", re.IGNORECASE
)
_YEAR = re.compile(r"([0-9]{4})[_-](daily|hourly)\.zst", re.IGNORECASE)


def chunk_files(root: Path) -> Iterator[tuple[Path, ChunkKey]]:
    """Yield the files of a folder that are named as chunks, in order of their path.

    Beside chunks at their places those of a flat folder, as ``002_2018_daily.zst``, and of folders
    named by a station, as ``2/2018_daily.zst``, in the folder itself and one below it.
    """
    storage = storage_of(root)
    seen = {path for place in _PLACES for path in storage.files(root, place)}
    for path in sorted(seen):
        key = named_key(path.relative_to(root))
        if key is not None:
            yield path, key


def named_key(path: Path) -> ChunkKey | None:
    """Return what a chunk's path says that it holds; None where it says not all."""
    whole, year = _WHOLE.fullmatch(path.name), _YEAR.fullmatch(path.name)
    folder = path.parts[-2] if len(path.parts) > 1 else ""
    try:
        if whole is not None:
            return ChunkKey(Scope(whole[3]), int(whole[2]), station=int(whole[1]))
        if year is not None and re.fullmatch(r"[0-9]{1,5}", folder) and "spatial" not in path.parts:
            return ChunkKey(Scope(year[2]), int(year[1]), station=int(folder))
        return ChunkKey.of_path(path)
    except StoreError:
        return None
