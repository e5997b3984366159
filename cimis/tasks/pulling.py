"""A local copy of a published store, made or brought up to date."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING

from cimis.arguments import keeping, path_of
from cimis.opened import Opened, caught_up

if TYPE_CHECKING:
    from cimis.pipeline.published.pull import Pulled

__all__ = ["pull"]


def pull(
    source: str | os.PathLike[str],
    path: str | os.PathLike[str] = "data",
    *,
    overwrite: bool = False,
    on_chunk: Callable[[int, int], None] | None = None,
) -> Pulled:
    """Make a data directory hold what a published store holds; only what is lacking is fetched.

    Parameters
    ----------
    source : path or URL
        As of :meth:`cimis.Store.publish`; also ``https://``.
    path : path
        The data directory, made where there is none.
    overwrite : bool
        Also replace chunks that were changed here since they were pulled, or came another way;
        else they are left, and told in ``kept``.
    on_chunk : callable, optional
        Hears how many chunks of how many have been stored.

    Returns
    -------
    Pulled

    Raises
    ------
    StoreError
        Where there is no published store, or the data directory cannot be written.
    ChunkError
        At the end, where chunks are damaged there; all others have been stored.
    AuthError, NetworkError
        Without a right, or a way, to the place; what was stored before stays.
    """
    from cimis.pipeline.published.pull import pull as copy
    from cimis.pipeline.storage.locations import location_of

    root = path_of(path)
    done = copy(location_of(os.fspath(source)), root, overwrite=overwrite, on_chunk=on_chunk)
    with closing(Opened(root, keeping(None))) as opened:
        caught_up(opened)
    return done
