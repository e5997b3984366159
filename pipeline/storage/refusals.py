"""Word what a storage refuses: an `OSError` becomes a `StoreError` that says what to do."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cimis.pipeline.errors import StoreError

__all__ = ["disk_errors"]

_HINTS = {
    errno.ENOSPC: "free some space and run the same command again; what was stored is unharmed",
    errno.EDQUOT: "raise the quota and run the same command again; what was stored is unharmed",
    errno.EFBIG: "raise the limit of file sizes and run the same command again",
    errno.EROFS: "choose a data directory on a disk that can be written: --data-dir",
    errno.EACCES: "choose a data directory that you may write, or change its permissions",
    errno.EPERM: "choose a data directory that you may write, or change its permissions",
    errno.ENOTDIR: "choose another data directory: a file is in the way",
}


@contextmanager
def disk_errors(path: Path, doing: str) -> Iterator[None]:
    """Turn what the operating system refuses into a `StoreError` that says what to do."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        hint = _HINTS.get(error.errno or 0)
        raise StoreError(f"cannot {doing} {path}: {reason}", hint=hint) from error
