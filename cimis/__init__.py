"""CIMIS weather and reference evapotranspiration on your own disk: fetch, store, query.

Names are imported when they are first used, so that ``import cimis`` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cimis.pipeline.errors import (
        AuthError,
        CheckFailed,
        ChunkError,
        CimisError,
        DecodeError,
        FetchInterrupted,
        FirewallPage,
        NetworkError,
        NoDataError,
        RateLimited,
        RequestRefused,
        ServiceError,
        StoreError,
        UsageError,
    )
    from cimis.pipeline.lacks import IncompleteAnswer
    from cimis.stages import decode, read_chunk, write_chunk
    from cimis.store import Store, create
    from cimis.store import open_store as open  # noqa: A004 - as in cimis.open("data")
    from cimis.tasks.pulling import pull
    from cimis.version import __version__

__all__ = [
    "AuthError",
    "CheckFailed",
    "ChunkError",
    "CimisError",
    "DecodeError",
    "FetchInterrupted",
    "FirewallPage",
    "IncompleteAnswer",
    "NetworkError",
    "NoDataError",
    "RateLimited",
    "RequestRefused",
    "ServiceError",
    "Store",
    "StoreError",
    "UsageError",
    "__version__",
    "create",
    "decode",
    "open",
    "pull",
    "read_chunk",
    "write_chunk",
]

_HOMES = {
    "IncompleteAnswer": ("cimis.pipeline.lacks", "IncompleteAnswer"),
    "Store": ("cimis.store", "Store"),
    "__version__": ("cimis.version", "__version__"),
    "create": ("cimis.store", "create"),
    "decode": ("cimis.stages", "decode"),
    "open": ("cimis.store", "open_store"),
    "pull": ("cimis.tasks.pulling", "pull"),
    "read_chunk": ("cimis.stages", "read_chunk"),
    "write_chunk": ("cimis.stages", "write_chunk"),
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home, inner = _HOMES.get(name, ("cimis.pipeline.errors", name))
    found = globals()[name] = getattr(import_module(home), inner)
    return found


def __dir__() -> list[str]:
    return sorted(__all__)
