"""Where chunk files lie: read whole or by ranges, put in place at once, listed, locked, set aside.

A *location* is a `pathlib.Path`: of the local disk, or ``scheme:/rest`` whose first part is one of
`SCHEMES` (``Path("s3://bucket/data")`` is ``s3:/bucket/data``, as `Path` makes one slash of two).
Names, parents and joining are `Path`'s; whatever touches a file is the storage's, which follows
from the location: no caller knows one from another. A further storage is a class with the methods
of `cimis.pipeline.storage.contract.Storage`, and its line in `SCHEMES`. Catalog, counters and read
cache are databases; they stay files of the local disk, whose place the storage tells.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from cimis.pipeline.storage.contract import Storage

__all__ = ["SCHEMES", "storage_of"]

_PLAIN = f"{__name__}.disk:Disk"
_PUBLISHED = "cimis.pipeline.published.reading:Published"
SCHEMES = dict.fromkeys(
    ("file", "s3", "s3a", "gs", "az", "abfs", "abfss", "adl", "http", "https"), _PUBLISHED
)
"""Each scheme's storage, as module and class; paths without a scheme are of the local disk."""


def storage_of(location: Path) -> Storage:
    """Return the storage that a location belongs to."""
    scheme, colon, _ = str(location).partition(":/")
    return _made(SCHEMES.get(scheme, _PLAIN) if colon else _PLAIN)


@cache
def _made(named: str) -> Storage:
    # only the module that is needed, since a question of few rows waits for it
    module, _, name = named.partition(":")
    return cast("Storage", getattr(import_module(module), name)())
