"""HTTP to the service: client, settings, retry policy, timings, stations."""

from __future__ import annotations

from pipeline.api.client import CimisClient, Timeouts
from pipeline.api.response import Response
from pipeline.api.retry import Retry, RetryPolicy
from pipeline.api.settings import AppKey, Settings
from pipeline.api.stations import Station
from pipeline.api.timings import Timings

__all__ = [
    "AppKey",
    "CimisClient",
    "Response",
    "Retry",
    "RetryPolicy",
    "Settings",
    "Station",
    "Timeouts",
    "Timings",
]
