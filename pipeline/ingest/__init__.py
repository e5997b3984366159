"""The stages joined: fetch stations from the service into a data directory, and report."""

from __future__ import annotations

from pipeline.ingest.fetching import fetch, fetch_async
from pipeline.ingest.progress import Progress
from pipeline.ingest.report import RunReport
from pipeline.ingest.request import FetchRequest
from pipeline.ingest.station_year import StationYear
from pipeline.ingest.stopping import RunStopped
from pipeline.ingest.sync import SyncPlan, sync

__all__ = [
    "FetchRequest",
    "Progress",
    "RunReport",
    "RunStopped",
    "StationYear",
    "SyncPlan",
    "fetch",
    "fetch_async",
    "sync",
]
