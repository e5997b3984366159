"""What keeps a data directory well: its chunks checked, rewritten, and archives taken in."""

from __future__ import annotations

import datetime as dt
import os
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from cimis.arguments import Years, keeping, path_of, years_of
from cimis.directory import make_directory
from cimis.lacking import warn_of
from cimis.naming.sites import Stations, station_numbers
from cimis.opened import Opened, caught_up
from cimis.pipeline.errors import NoDataError, UsageError
from cimis.pipeline.lacks import Lacks

if TYPE_CHECKING:
    from cimis.pipeline.archive.intake import Intake
    from cimis.pipeline.care.migrate import Migration
    from cimis.pipeline.care.verify import Verdict

__all__ = ["checked", "import_archive", "imported", "migrate", "migrated", "verify"]

OnStep = Callable[[int, int], None]
Watch = Callable[[str], AbstractContextManager[OnStep | None]]
"""Gives, for what is done next in words, what hears of its steps."""

Paths = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]


def verify(opened: Opened, *, repair: bool = False) -> Verdict:
    """Check every byte of every chunk and the catalog, as ``cimis verify`` does.

    ``repair`` rebuilds the catalog from the chunks and moves damaged ones into quarantine.
    """
    verdict = checked(opened.root, repair=repair)
    if repair:
        caught_up(opened)
    return verdict


def checked(root: Path, *, repair: bool, on_chunk: OnStep | None = None) -> Verdict:
    """Check a data directory, whose catalog may be lost, and keep the outcome for its metrics."""
    from cimis.pipeline.care.verify import verify
    from cimis.pipeline.catalog.tallies import Tallies

    verdict = verify(root, repair=repair, on_chunk=on_chunk)
    tallies = Tallies(root)
    tallies.set("cimis_checksum_failures", verdict.damaged)
    tallies.set("cimis_verify_timestamp_seconds", time.time())
    tallies.flush()
    return verdict


def migrate(
    opened: Opened,
    to: str = "v2",
    *,
    output: str | os.PathLike[str] | None = None,
    stations: Stations | None = None,
    year: Years | None = None,
    allow_loss: bool = False,
    dry_run: bool = False,
) -> Migration:
    """Rewrite chunks in the other format, in place or elsewhere, as ``cimis migrate`` does.

    Parameters
    ----------
    to : {"v2", "v1"}
        Format to write.
    output : path, optional
        Another data directory, which is made; the chunks stay.
    stations : int, str or iterable of them, optional
        By number or name, as of :meth:`daily`; by default all chunks.
    year : int or str, optional
        Only these years, as 2024 or ``"2020-2024"``.
    allow_loss : bool
        Go ahead where V1 cannot hold everything.
    dry_run : bool
        Say what would be rewritten and lost; write nothing.

    Returns
    -------
    Migration
        Per chunk its bytes before and after and what was lost; ``failed`` are those that stayed as
        they were, and ``lacks`` tells of which stations nothing is stored.

    Raises
    ------
    UsageError
        Where V1 cannot hold everything, and for a format or stations that are none.
    NoDataError
        When nothing is stored of these stations and years.

    Warns
    -----
    IncompleteAnswer
        When nothing is stored of some stations, or damaged chunks stayed as they were.
    """
    found = migrated(
        opened.root,
        to,
        target=None if output is None else path_of(output),
        stations=station_numbers(stations, opened.root, "a migration"),
        years=None if year is None else years_of(year),
        allow_loss=allow_loss,
        dry_run=dry_run,
    )
    if not dry_run and output is None:
        caught_up(opened)
    elif output is not None and not dry_run:
        with closing(Opened(path_of(output), keeping(None))) as other:
            caught_up(other)
    damaged = tuple((chunk.path, str(chunk.error)) for chunk in found.failed)
    warn_of(replace(found.lacks, damaged=damaged))
    return found


def migrated(
    root: Path,
    form: str,
    *,
    target: Path | None,
    stations: Sequence[int] | None,
    years: tuple[int, int] | None,
    allow_loss: bool,
    dry_run: bool,
    watch: Watch = lambda _: nullcontext(),
) -> Migration:
    """Rewrite chunks as :meth:`migrate` does, without a warning."""
    from cimis.pipeline.care.migrate import forecast, migrate, pending
    from cimis.pipeline.catalog.database import Catalog

    if form not in ("v1", "v2"):
        raise UsageError(f"unknown chunk format '{form}'", hint="choose v2 or v1")
    first, last = (None, None) if years is None else years
    with Catalog(root) as catalog:
        chunks = catalog.chunks(stations=stations, first_year=first, last_year=last)
    missed = sorted({*(stations or ())} - {chunk.station for chunk in chunks})
    if not chunks and (stations or years):
        raise NoDataError(
            "no chunk is stored of these stations and years",
            hint="see what is stored with 'cimis stats'",
        )
    if target is None:
        chunks = pending(root, chunks, form)
    if dry_run or (form == "v1" and target is None and not allow_loss):
        with watch("surveying chunks") as on_chunk:
            found = forecast(root, chunks, form, on_chunk=on_chunk)
        if not dry_run and found.losses:
            raise _too_much_lost(found)
    if not dry_run:
        if target is not None:
            make_directory(target)
        with watch("rewriting chunks") as on_chunk:
            found = migrate(root, chunks, form, target=target, on_chunk=on_chunk)
    found.lacks = Lacks(without_rows=tuple(missed))
    return found


def _too_much_lost(found: Migration) -> UsageError:
    from cimis.pipeline.markup import counted

    lossy = sum(1 for chunk in found.done if chunk.losses)
    return UsageError(
        f"V1 cannot hold {counted(sum(found.losses.values()), 'value')} or flags of "
        f"{lossy} of {counted(len(found.done), 'chunk')}; nothing was written",
        hint="'cimis migrate --format v1 --dry-run' counts them by item; --allow-loss goes ahead, "
        "--output DIR writes copies and keeps the chunks",
    )


def import_archive(
    opened: Opened,
    paths: Paths,
    *,
    stations: Stations | None = None,
    keep: str = "stored",
    ftp_units: str = "english",
    dry_run: bool = False,
) -> Intake:
    """Store files of the network's archives, as ``cimis import`` does.

    English units become metric. What is stored stays as it is: only rows that are not there and
    values that are missing are taken from the archive, and what differs is counted. All files are
    read and checked before the first is stored.

    Parameters
    ----------
    paths : path or iterable of path
        FTP zips of years or months, web-report CSVs, and folders, which mean all archives below.
    stations : int, str or iterable of them, optional
        By number or name, as of :meth:`daily`; by default all in the files.
    keep : {"stored", "import"}
        Whose value is kept where both have one.
    ftp_units : {"english", "metric"}
        Units of FTP files, whose names do not tell; web reports do.
    dry_run : bool
        Read and count; store nothing.

    Returns
    -------
    Intake
        What was read, new, filled and differing; ``left_out`` are the files that are no archives,
        and ``lacks`` tells of which stations the files hold nothing.

    Raises
    ------
    UsageError
        For a file that is no archive of the network, or damaged; the store is then as it was.
    NoDataError
        When the files hold no record of these stations.

    Warns
    -----
    IncompleteAnswer
        When the files hold no record of some stations.
    """
    done = imported(
        opened.root,
        [path_of(one) for one in ([paths] if isinstance(paths, str | os.PathLike) else paths)],
        stations=station_numbers(stations, opened.root, "an archive"),
        prefer=keep,
        units=ftp_units,
        dry_run=dry_run,
    )
    if not dry_run:
        caught_up(opened)
    warn_of(done.lacks)
    return done


def imported(
    root: Path,
    paths: Sequence[Path],
    *,
    stations: Sequence[int] | None,
    prefer: str,
    units: str,
    dry_run: bool,
    on_file: Callable[[Path, int, int], None] = lambda *_: None,
    on_store: OnStep = lambda *_: None,
) -> Intake:
    """Take archives in as :meth:`import_archive` does, into a directory that may not exist yet."""
    from cimis.pipeline.archive.intake import take_in
    from cimis.queries.conversion import standard

    system = standard(units)
    if not dry_run:
        make_directory(root)
    done = take_in(
        root,
        paths,
        stations=stations,
        prefer=prefer,
        standard=system,
        dry_run=dry_run,
        now=dt.datetime.now(dt.UTC),
        on_file=on_file,
        on_store=on_store,
    )
    done.lacks = Lacks(without_rows=tuple(sorted({*(stations or ())} - done.stations)))
    if not done.rows:
        error = NoDataError(
            "the files hold no record of these stations", hint="leave out --stations to take all"
        )
        error.report = done
        raise error
    return done
