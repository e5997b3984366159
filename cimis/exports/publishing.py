"""A data directory published for others to read, with Parquet files beside it where asked for."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from cimis.exports.export import export
from cimis.opened import Opened
from cimis.version import __version__

if TYPE_CHECKING:
    from cimis.pipeline.published.publish import Publication

__all__ = ["publish"]

_PARQUET = "parquet"


def publish(
    opened: Opened,
    to: str | os.PathLike[str],
    *,
    parquet: bool = False,
    replace: bool = False,
    resend: bool = False,
    dry_run: bool = False,
    on_object: Callable[[int, int], None] | None = None,
    on_year: Callable[[str], None] | None = None,
) -> Publication:
    """Publish what is stored, so that others open it where it lies; only what changed is sent.

    Objects first, the manifest that names them last: a reader finds every chunk of the version that
    it opened, and those of older versions for seven days. Interrupted anywhere, it can be run
    again.

    Parameters
    ----------
    to : path or URL
        ``s3://bucket/prefix``, ``gs://``, ``az://``, or a folder; object stores need
        ``pip install 'cimis[objects]'``, and take keys as their own tools do.
    parquet : bool
        Also send Parquet files by year, below ``parquet/``, that any tool reads.
    replace : bool
        Also where chunks are published that this data directory has not.
    resend : bool
        Send everything again: mends what was damaged there.
    dry_run : bool
        Only tell what would be sent.
    on_object, on_year : callable, optional
        Hear how many objects of how many are sent, and which year's Parquet is made.

    Returns
    -------
    Publication
        What was sent, of ``chunks`` and ``rows`` in all.

    Raises
    ------
    UsageError
        Where nothing is stored, or a package is not installed.
    StoreError
        Where chunks are published that the data directory has not, or the place refuses.
    ChunkError
        For a chunk that is damaged here.
    AuthError, NetworkError
        Without a right, or a way, to the place.
    """
    from cimis.pipeline.published.publish import publish as send
    from cimis.pipeline.storage.locations import location_of

    place = location_of(os.fspath(to))
    done = send(
        opened.root,
        place,
        program=__version__,
        replace=replace,
        resend=resend,
        dry_run=dry_run,
        on_object=on_object,
    )
    if parquet and not dry_run:
        _send_parquet(opened, place, done, on_year)
    return done


def _send_parquet(
    opened: Opened, place: Path, done: Publication, on_year: Callable[[str], None] | None
) -> None:
    """Make the files of the years that changed, and send them; what they are made of goes last."""
    import tempfile  # a store need not wait for it

    from cimis.exports.plan import STATE_FILE
    from cimis.pipeline.published.bucket import at_once, bucket_of

    bucket = bucket_of(place)
    with tempfile.TemporaryDirectory(prefix="cimis-publish-") as made:
        folder = Path(made)
        try:
            before, _ = bucket.get(f"{_PARQUET}/{STATE_FILE}")
            (folder / STATE_FILE).write_bytes(before)
        except FileNotFoundError:
            pass
        found = export(opened, folder, format="parquet", on_year=on_year)
        files = [path for path in folder.rglob("*.parquet") if path.is_file()]

        def send(path: Path) -> int:
            data = path.read_bytes()
            bucket.put(f"{_PARQUET}/{path.relative_to(folder).as_posix()}", data)
            return len(data)

        done.sent_bytes += sum(at_once(send, files, workers=4))
        done.objects += len(files)
        if files or found.removed:
            state = (folder / STATE_FILE).read_bytes()
            bucket.put(f"{_PARQUET}/{STATE_FILE}", state)
            bucket.delete([f"{_PARQUET}/{name}/rows.parquet" for name in found.removed])
            done.changed = True
    done.requests += bucket.traffic.requests
