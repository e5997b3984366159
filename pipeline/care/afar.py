"""A published store checked: manifest, catalog and objects, fetched anew, to the last byte."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import chain
from pathlib import Path

from cimis.pipeline.care.plausible import Extremes
from cimis.pipeline.care.verdict import Finding, Verdict
from cimis.pipeline.catalog.database import Catalog
from cimis.pipeline.catalog.rows import ChunkRow
from cimis.pipeline.chunks import ChunkInfo, ChunkKey
from cimis.pipeline.chunks.files import describe
from cimis.pipeline.errors import ChunkError
from cimis.pipeline.published.bucket import AT_ONCE, Bucket, at_once, bucket_of
from cimis.pipeline.published.manifest import Manifest
from cimis.pipeline.published.snapshot import Lies, lies_in
from cimis.pipeline.storage import storage_of
from cimis.pipeline.storage.checksum import checksum_of

__all__ = ["verify_published"]

_MENDS = "'cimis publish --resend' mends it"
_Checked = list[tuple[ChunkRow, str | None, ChunkInfo | None]]


def verify_published(root: Path, *, on_chunk: Callable[[int, int], None] | None = None) -> Verdict:
    """Check every chunk of a published store by what its bucket holds now.

    Parameters
    ----------
    root : pathlib.Path
        Its location.
    on_chunk : callable, optional
        Hears how many chunks of how many have been checked.

    Raises
    ------
    StoreError
        Where there is none, or its manifest is damaged.
    """
    storage = storage_of(root)
    storage.attend(root)
    bucket = bucket_of(root)
    verdict, extremes = Verdict(), Extremes()
    with Catalog(root) as catalog:
        catalog.check()
        rows = catalog.chunks()
        lies = lies_in(catalog.path)
    _check_catalog(bucket, verdict)
    objects: dict[str, list[ChunkRow]] = {}
    for row in rows:
        objects.setdefault(lies[row.path].object, []).append(row)
    checked = at_once(partial(_check_object, bucket, lies), objects.items(), workers=AT_ONCE // 2)
    for row, reason, info in chain.from_iterable(checked):
        if info is not None:
            extremes.note(row.path, info)
        verdict.count(info)
        if reason is not None:
            verdict.findings.append(Finding(row.path, f"{reason}; {_MENDS}"))
        if on_chunk is not None:
            on_chunk(verdict.chunks, len(rows))
    verdict.warnings += extremes.warnings()
    return verdict


def _check_catalog(bucket: Bucket, verdict: Verdict) -> None:
    """Check that the catalog is still there, as its copy may be from before."""
    found = Manifest.read(bucket)
    if found is None:
        return
    name, due = found[0].catalog, found[0].catalog_checksum
    try:
        data, _ = bucket.get(name)
        reason = None if checksum_of(data) == due else "is damaged: it has another checksum"
    except FileNotFoundError:
        reason = "is named by the manifest, but is not there"
    if reason is not None:
        verdict.findings.append(Finding(name, f"{reason}; {_MENDS}"))


def _check_object(
    bucket: Bucket, lies: dict[str, Lies], listed: tuple[str, list[ChunkRow]]
) -> _Checked:
    """Return of each chunk of an object what is wrong with it, and what it is where it is sound."""
    name, rows = listed
    try:
        data, _ = bucket.get(name)
    except FileNotFoundError:
        return [(row, f"the object {name} is not there", None) for row in rows]
    found: _Checked = []
    for row in rows:
        place = lies[row.path]
        piece = data[place.start : place.start + place.bytes]
        if checksum_of(piece) != row.checksum:
            reason = f"the object {name} holds {len(piece):,} bytes of another checksum there"
            found.append((row, reason, None))
            continue
        path = Path(row.path)
        try:
            found.append((row, None, describe(path, piece, ChunkKey.of_path(path))))
        except ChunkError as error:
            found.append((row, error.fault, None))
    return found
