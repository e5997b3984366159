"""The data directory: there, readable, writable, in order, and up to date."""

from __future__ import annotations

import datetime as dt
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from cimis.health.finding import Finding, Mark
from cimis.pipeline.field.time import network_day
from cimis.pipeline.markup import counted, sized
from cimis.pipeline.storage import storage_of
from cimis.pipeline.storage.locations import anywhere, url_of

if TYPE_CHECKING:
    from cimis.pipeline.catalog.database import Catalog, ChunkRow

__all__ = ["room_line", "store_lines"]

_TOPIC = "store"
_LITTLE_BYTES = 1_000_000_000
_TOO_LITTLE_BYTES = 50_000_000
_LOCKS = Path("/proc/locks")
"""Where Linux says which files are locked, without our taking a lock to find out."""


def store_lines(root: Path) -> Iterator[Finding]:
    """Tell of a data directory, or that there is none yet."""
    from cimis.directory import data_directory
    from cimis.pipeline.catalog.database import Catalog

    if not storage_of(root).writable:
        yield from _published_lines(data_directory(root))
        return
    if not root.exists():
        told = f"there is no data directory at '{root}' yet"
        yield Finding(_TOPIC, "place", Mark.WARNING, told, f"make one: cimis init {root}")
        near = next(folder for folder in root.absolute().parents if folder.exists())
        yield room_line(_TOPIC, near)
        return
    data_directory(root)
    with Catalog(root) as catalog:
        catalog.check()
        chunks = catalog.chunks()
        yield _place(root, catalog, chunks)
        yield _writable(root)
        yield room_line(_TOPIC, root)
        yield _locks(root)
        yield from _leftovers(root)
        yield _last_run(catalog)
    yield from _soundness(root, chunks)
    yield from _days(chunks)


def _published_lines(root: Path) -> Iterator[Finding]:
    """Tell of a published store: no locks, leftovers or room are this machine's there."""
    from cimis.pipeline.catalog.database import Catalog

    with Catalog(root) as catalog:
        catalog.check()
        chunks = catalog.chunks()
        yield _place(root, catalog, chunks)
    told = "is published: it is read here, and written where 'cimis publish' is run"
    yield Finding(_TOPIC, "rights", Mark.OK, told, facts={"writable": False})
    yield from _days(chunks)


def _place(root: Path, catalog: Catalog, chunks: list[ChunkRow]) -> Finding:
    from cimis.pipeline.catalog.tables import VERSION

    older = sum(chunk.format == "v1" for chunk in chunks)
    size = sum(chunk.file_bytes for chunk in chunks)
    facts = {
        "path": url_of(anywhere(root)),
        "catalog": str(catalog.path),
        "version": VERSION,
        "chunks": len(chunks),
        "v1_chunks": older,
        "bytes": size,
    }
    told = f"'{url_of(root)}' is read: catalog version {VERSION}, {counted(len(chunks), 'chunk')}"
    told += f" ({older:,} of V1), {sized(size)}" if older else f", {sized(size)}"
    return Finding(_TOPIC, "place", Mark.OK, told, facts=facts)


def _writable(root: Path) -> Finding:
    folders = [root, *(root / name for name in ("stations", "spatial", ".locks"))]
    shut = [one for one in folders if one.exists() and not os.access(one, os.W_OK | os.X_OK)]
    if not shut:
        return Finding(_TOPIC, "rights", Mark.OK, "may be written", facts={"writable": True})
    told = f"may not be written by you: {', '.join(map(str, shut))}"
    do = "give this user the right to write, or fetch as the one who owns it; questions work"
    return Finding(_TOPIC, "rights", Mark.WARNING, told, do, {"writable": False})


def room_line(topic: str, folder: Path) -> Finding:
    """Tell how much room the disk of a folder has."""
    free = shutil.disk_usage(folder).free
    told, facts = f"{sized(free)} free on its disk", {"free_bytes": free}
    do = "make room, or move the directory to a larger disk"
    if free < _TOO_LITTLE_BYTES:
        return Finding(topic, "room", Mark.PROBLEM, told, do, facts)
    if free < _LITTLE_BYTES:
        return Finding(topic, "room", Mark.WARNING, told, do, facts)
    return Finding(topic, "room", Mark.OK, told, facts=facts)


def _locks(root: Path) -> Finding:
    """Tell who holds which lock; no lock is taken for it, as that could be in another's way."""
    try:
        held = _LOCKS.read_text("ascii", "replace")
    except OSError:
        told = "who writes cannot be seen on this system"
        return Finding(_TOPIC, "locks", Mark.SKIPPED, told)
    by_inode = {}
    for line in held.splitlines():
        words = line.split()
        place = next((word for word in words if word.count(":") == 2), "")
        if place and "->" not in words:
            by_inode[place.rpartition(":")[2]] = next((w for w in words if w.isdigit()), "?")
    holders = {
        path.stem: by_inode[inode]
        for path in (root / ".locks").glob("*.lock")
        if (inode := str(path.stat().st_ino)) in by_inode
    }
    if not holders:
        return Finding(_TOPIC, "locks", Mark.OK, "nobody is writing", facts={"held": {}})
    names = ", ".join(sorted(holders)[:3]) + (", …" if len(holders) > 3 else "")
    pids = ", ".join(sorted(set(holders.values())))
    told = f"being written by process {pids}: {names}"
    return Finding(_TOPIC, "locks", Mark.OK, told, facts={"held": holders})


def _leftovers(root: Path) -> Iterator[Finding]:
    from cimis.pipeline.storage import storage_of

    left = storage_of(root).leftovers(root)
    if left:
        told = f"{counted(len(left), 'unfinished file')} of runs that were killed"
        do = "nothing: the next fetch, or 'cimis verify', removes them"
        yield Finding(_TOPIC, "leftovers", Mark.WARNING, told, do, {"files": list(map(str, left))})


def _last_run(catalog: Catalog) -> Finding:
    runs = catalog.runs(last=1)
    if not runs:
        return Finding(_TOPIC, "last run", Mark.OK, "nothing was fetched into it yet")
    run = runs[0]
    code = int(run["exit_code"])
    began = dt.datetime.fromisoformat(str(run["started_at"])).astimezone(dt.UTC)
    facts = {name: run[name] for name in ("command", "started_at", "finished_at", "exit_code")}
    told = f"the last run, of {began:%Y-%m-%d %H:%M} UTC,"
    if code == 0:
        return Finding(_TOPIC, "last run", Mark.OK, f"{told} was complete", facts=facts)
    told += f" ended with exit code {code}"
    do = "run the same command again: it asks for what lacks"
    return Finding(_TOPIC, "last run", Mark.WARNING, told, do, facts)


def _soundness(root: Path, chunks: list[ChunkRow]) -> Iterator[Finding]:
    """Tell what the last 'cimis verify' found, which files are not there, and what lies aside."""
    from cimis.pipeline.care.verify import QUARANTINE
    from cimis.pipeline.catalog.tallies import Tallies
    from cimis.pipeline.storage import storage_of

    storage = storage_of(root)
    absent = [chunk.path for chunk in chunks if not storage.exists(root / chunk.path)]
    known = {name: value for (name, _), value in Tallies(root).read().items()}
    checked, damaged = known.get("cimis_verify_timestamp_seconds"), 0
    mend = "'cimis verify --repair' mends the catalog and sets damaged files aside"
    if checked is None:
        told, do = "not checked yet", "'cimis verify' reads every byte"
        yield Finding(_TOPIC, "checked", Mark.OK, told, do if chunks else None)
    else:
        moment = dt.datetime.fromtimestamp(checked, dt.UTC)
        damaged = int(known.get("cimis_checksum_failures", 0))
        facts = {"checked_at": moment.isoformat(timespec="seconds"), "damaged": damaged}
        told = f"checked {moment:%Y-%m-%d %H:%M} UTC: {counted(damaged, 'damaged chunk')}"
        mark = Mark.PROBLEM if damaged else Mark.OK
        yield Finding(_TOPIC, "checked", mark, told, mend if damaged else None, facts)
    if absent:
        told = f"{counted(len(absent), 'chunk')} of the catalog not there, as {absent[0]}"
        yield Finding(_TOPIC, "absent", Mark.PROBLEM, told, mend, {"paths": absent})
    aside = [str(path) for path in (root / QUARANTINE).rglob("*") if path.is_file()]
    if aside:
        told = f"{counted(len(aside), 'damaged file')} set aside in {root / QUARANTINE}"
        do = "fetch or import their days again, then remove the folder"
        yield Finding(_TOPIC, "quarantine", Mark.WARNING, told, do, {"paths": aside})


def _days(chunks: list[ChunkRow]) -> Iterator[Finding]:
    """Tell how recent the days are, and of provisional ones that would be final by now."""
    from cimis.pipeline.fetch.final import NEAR_END_DAYS

    if not chunks:
        return
    today = network_day()
    open_days = {chunk.path: day for chunk in chunks if (day := chunk.provisional_from) is not None}
    limit = today - dt.timedelta(days=NEAR_END_DAYS)
    overdue = {path: day for path, day in open_days.items() if day < limit}
    newest = max(chunk.last_day for chunk in chunks)
    facts = {
        "last_day": str(newest),
        "provisional_chunks": len(open_days),
        "overdue_chunks": len(overdue),
    }
    told = f"last day {newest}; {counted(len(open_days), 'chunk')} with days that may still change"
    if not overdue:
        yield Finding(_TOPIC, "days", Mark.OK, told, facts=facts)
        return
    first = min(overdue.values())
    told += f", {len(overdue):,} of them since {first}, which would be final by now"
    facts |= {"overdue_since": str(first)}
    yield Finding(_TOPIC, "days", Mark.WARNING, told, "'cimis sync' asks for them again", facts)
