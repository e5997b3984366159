"""Publishing a data directory: objects first, the manifest last, only what changed."""

from __future__ import annotations

import datetime as dt
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cimis.pipeline.catalog.database import CATALOG_FILE
from cimis.pipeline.catalog.rows import ChunkRow
from cimis.pipeline.errors import StoreError, UsageError
from cimis.pipeline.published.bucket import AT_ONCE, Bucket, Held, Superseded, at_once, bucket_of
from cimis.pipeline.published.manifest import MANIFEST, Manifest
from cimis.pipeline.published.near import Near, near_folder
from cimis.pipeline.published.packs import MovedError, Pack, packs_of
from cimis.pipeline.published.snapshot import Lies, note_objects, packed, retired_in, take
from cimis.pipeline.published.version import Version, open_version
from cimis.pipeline.storage import storage_of
from cimis.pipeline.storage.checksum import checksum_of

__all__ = ["Publication", "publish"]

GRACE = dt.timedelta(days=7)
"""How long objects stay that no manifest names any more: readers may have opened an older one."""

YOUNG = GRACE / 2
_TRIES = 6


@dataclass(slots=True)
class Publication:
    """What publishing took. ``sent_bytes`` and ``objects`` are what was sent, or would be."""

    to: str
    chunks: int = 0
    rows: int = 0
    new_chunks: int = 0
    objects: int = 0
    sent_bytes: int = 0
    gone_chunks: int = 0
    removed_objects: int = 0
    requests: int = 0
    changed: bool = False
    dry_run: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Return the facts as JSON-ready values."""
        return asdict(self)


def publish(
    root: Path,
    to: Path,
    *,
    program: str,
    replace: bool = False,
    resend: bool = False,
    dry_run: bool = False,
    on_object: Callable[[int, int], None] | None = None,
    now: dt.datetime | None = None,
) -> Publication:
    """Publish what a data directory holds now, so that others read it from a bucket or a folder.

    Parameters
    ----------
    root : pathlib.Path
        The data directory.
    to : pathlib.Path
        A location: of a bucket's prefix, or of a folder (`storage.locations.location_of`).
    program : str
        The version that the manifest names.
    replace : bool
        Also where chunks are published that the data directory has not.
    resend : bool
        Send all again, whatever is there: mends what was damaged there.
    dry_run : bool
        Only tell what would be sent.
    on_object : callable, optional
        Hears how many objects of how many have been sent.
    now : datetime.datetime, optional
        The present moment, UTC.

    Raises
    ------
    StoreError
        Where there are chunks that the data directory has not, or nothing can be published.
    ChunkError
        For a chunk that is damaged here.
    """
    bucket = bucket_of(to)
    moment = now or dt.datetime.now(dt.UTC)
    with _room(root) as room:
        try:
            near = Near(near_folder(bucket.url))
        except StoreError:  # a user without a home publishes too
            near = Near(room / "near")
        for _ in range(_TRIES):
            try:
                done = _Publishing(root, bucket, near, program, moment, on_object, room).tried(
                    replace=replace, resend=resend, dry_run=dry_run
                )
            except (Superseded, MovedError):
                continue  # another published, or a chunk was written anew meanwhile: look again
            done.requests = bucket.traffic.requests
            return done
    raise StoreError(
        f"{bucket.url} changes faster than it can be published",
        hint="leave it to one machine, and publish when no fetch is writing",
    )


def _known(before: Version | None, there: Mapping[str, Held]) -> dict[str, Lies]:
    """Return by checksum the chunks that are published and whose objects are there, whole."""
    if before is None:
        return {}
    ends: dict[str, int] = {}
    for each in before.lies.values():
        ends[each.object] = max(ends.get(each.object, 0), each.start + each.bytes)
    whole = {name for name, end in ends.items() if name in there and there[name].bytes == end}
    return {each.checksum: each for each in before.lies.values() if each.object in whole}


@contextmanager
def _room(root: Path) -> Iterator[Path]:
    """Make a folder to copy the catalog into: beside the read cache, else the system's own."""
    place: Path | None = root / ".cache" if storage_of(root).writable else None
    with suppress(OSError):
        if place is not None:
            place.mkdir(exist_ok=True)
    if place is None or not os.access(place, os.W_OK | os.X_OK):
        place = None
    with tempfile.TemporaryDirectory(prefix="publish-", dir=place) as folder:
        yield Path(folder)


@dataclass(slots=True)
class _Publishing:
    """One try, from the manifest that is found there."""

    root: Path
    bucket: Bucket
    near: Near
    program: str
    now: dt.datetime
    on_object: Callable[[int, int], None] | None
    room: Path

    def tried(self, *, replace: bool, resend: bool, dry_run: bool) -> Publication:
        before = open_version(self.bucket, self.near)
        state, catalog = take(self.root, self.room)
        with catalog:
            rows = catalog.chunks()
        done = Publication(self.bucket.url, len(rows), sum(row.rows for row in rows))
        done.dry_run = dry_run
        if not rows:
            raise UsageError(
                f"{self.root} holds no chunks, so there is nothing to publish",
                hint="fetch or import something first",
            )
        self._check_gone(before, rows, done, replace=replace)
        there = {} if resend else {each.name: each for each in self.bucket.held()}
        known = _known(before, there)
        fresh = [row for row in rows if row.checksum not in known]
        if not fresh and before is not None and before.manifest.state == state:
            return done
        done.changed = True
        done.new_chunks = len(fresh)
        packs = packs_of(fresh, rows)
        done.objects = len(packs)
        done.sent_bytes = sum(pack.size for pack in packs)
        if dry_run:
            return done
        known |= self._sent(packs, there)
        lies = {row.path: known[row.checksum] for row in rows}
        retired = self._retired(before, lies)
        note_objects(self.room / CATALOG_FILE, sorted(lies.items()), sorted(retired.items()))
        catalog_name = self._manifest(self.room / CATALOG_FILE, state, rows, before, done)
        used = {each.object for each in lies.values()} | set(retired) | {catalog_name}
        done.removed_objects = self._swept(used)
        return done

    def _check_gone(
        self, before: Version | None, rows: Sequence[ChunkRow], done: Publication, *, replace: bool
    ) -> None:
        gone = set() if before is None else set(before.lies) - {row.path for row in rows}
        done.gone_chunks = len(gone)
        if gone and not replace:
            raise StoreError(
                f"{self.bucket.url} holds {len(gone):,} chunks that {self.root} has not, as "
                f"{min(gone)}",
                hint="is it the place of another store? --replace publishes without them",
            )

    def _sent(self, packs: Sequence[Pack], there: Mapping[str, Held]) -> dict[str, Lies]:
        """Send what an interrupted run has not sent; return by checksum where the chunks lie."""
        # older ones another may be about to sweep
        since = self.now - YOUNG
        young = {name: each.bytes for name, each in there.items() if each.changed > since}
        found: dict[str, Lies] = {}

        def send(pack: Pack) -> dict[str, Lies]:
            data, lies = pack.made(self.root)
            if data is None:
                pack.check_moved(self.root)
            elif lies and young.get(name := next(iter(lies.values())).object) != len(data):
                self.bucket.put(name, data)
            return lies

        for number, lies in enumerate(at_once(send, packs, workers=AT_ONCE // 2), 1):
            found |= lies
            if self.on_object is not None:
                self.on_object(number, len(packs))
        return found

    def _retired(self, before: Version | None, lies: dict[str, Lies]) -> dict[str, str]:
        """Return the objects that are of no use from now on, and since when."""
        used = {each.object for each in lies.values()}
        if before is None:
            return {}
        retired = dict(retired_in(before.catalog))
        for each in before.lies.values():
            if each.object not in used:
                retired.setdefault(each.object, self.now.isoformat(timespec="seconds"))
        retired.setdefault(before.manifest.catalog, self.now.isoformat(timespec="seconds"))
        return {
            name: since
            for name, since in retired.items()
            if name not in used and dt.datetime.fromisoformat(since) > self.now - GRACE
        }

    def _manifest(
        self,
        copy: Path,
        state: str,
        rows: Sequence[ChunkRow],
        before: Version | None,
        done: Publication,
    ) -> str:
        """Send the catalog, then the manifest that names it; return the catalog's name."""
        plain, data = copy.read_bytes(), packed(copy)
        checksum = checksum_of(data)
        name = f"catalogs/{checksum}.sqlite3.zst"
        self.bucket.put(name, data)
        manifest = Manifest(
            state=state,
            catalog=name,
            catalog_bytes=len(data),
            catalog_checksum=checksum,
            chunks=len(rows),
            rows=done.rows,
            chunk_bytes=sum(row.file_bytes for row in rows),
            published_at=self.now.isoformat(timespec="seconds"),
            cimis=self.program,
        )
        text = manifest.to_bytes()
        self.bucket.put_if(MANIFEST, text, None if before is None else before.tag)
        self.near.keep_catalog(checksum, plain)
        done.objects += 2
        done.sent_bytes += len(data) + len(text)
        return name

    def _swept(self, used: set[str]) -> int:
        """Delete objects that nobody needs: retired ones, and what interrupted runs have left.

        What another publishes meanwhile is too young to go.
        """
        own = ("chunks/", "packs/", "catalogs/")
        old = [
            each.name
            for each in self.bucket.held()
            if each.name.startswith(own)
            and each.name not in used
            and each.changed < self.now - GRACE
        ]
        self.bucket.delete(old)
        return len(old)
