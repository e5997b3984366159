"""The stages joined: fetch stations from the service into a data directory, and report."""

from __future__ import annotations

from cimis.pipeline.fetch.fetching import fetch, fetch_async
from cimis.pipeline.fetch.report.progress import Progress
from cimis.pipeline.fetch.report.run_report import RunReport, RunReports
from cimis.pipeline.fetch.report.station_year import StationYear
from cimis.pipeline.fetch.request import FetchRequest
from cimis.pipeline.fetch.stopping import RunStopped
from cimis.pipeline.fetch.sync import SyncPlan, sync

__all__ = [
    "FetchRequest",
    "Progress",
    "RunReport",
    "RunReports",
    "RunStopped",
    "StationYear",
    "SyncPlan",
    "fetch",
    "fetch_async",
    "sync",
]
