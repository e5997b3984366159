"""HTTP to the service: client, inflater, settings, retry policy, timings, stations.

Names are imported when they are first used, so that reading a setting does not pay for HTTP.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cimis.pipeline.service.client import CimisClient
    from cimis.pipeline.service.inflate import BodyInflater
    from cimis.pipeline.service.response import Response
    from cimis.pipeline.service.retry import Retry, RetryPolicy
    from cimis.pipeline.service.settings import AppKey, Settings
    from cimis.pipeline.service.stations import Station
    from cimis.pipeline.service.timings import Timings
    from cimis.pipeline.service.waits import Timeouts
    from cimis.pipeline.service.zip_codes import ZipCode

__all__ = [
    "AppKey",
    "BodyInflater",
    "CimisClient",
    "Response",
    "Retry",
    "RetryPolicy",
    "Settings",
    "Station",
    "Timeouts",
    "Timings",
    "ZipCode",
]

_HOMES = {
    "AppKey": "settings",
    "BodyInflater": "inflate",
    "CimisClient": "client",
    "Response": "response",
    "Retry": "retry",
    "RetryPolicy": "retry",
    "Settings": "settings",
    "Station": "stations",
    "Timeouts": "waits",
    "Timings": "timings",
    "ZipCode": "zip_codes",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
