"""What a data directory tells a monitor, in Prometheus' form: as text, in a file, over HTTP.

Counters are those that runs bring to disk (`Tallies`), each there with 0 before it first counts,
as a rate needs a beginning; the rest is what the catalog says at the moment. ``docs/metrics.md``
lists every metric; the tests hold it to this module.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest, write_to_textfile
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

from cimis.pipeline.catalog.database import Catalog, ChunkRow
from cimis.pipeline.catalog.tallies import BUCKETS_S, Series, Tallies
from cimis.pipeline.field.time import BEHIND_UTC_H, DAY_S, HOUR_S
from cimis.pipeline.storage.refusals import disk_errors

__all__ = ["COUNTERS", "GAUGES", "HISTOGRAMS", "registry", "text", "write"]

_KNOWN = {
    "scope": ("daily", "hourly"),
    "exit_code": tuple(str(code) for code in range(9)),
    "status": ("retryable", "non_retryable"),
    "outcome": ("success", "failure"),
    "phase": ("connect", "tls", "ttfb", "read", "decode", "total", "write"),
}
"""The values of labels that are known beforehand."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """A metric's help and the names of its labels."""

    help: str
    labels: tuple[str, ...]

    def beginnings(self, *names: str) -> dict[Series, float]:
        """Return a zero for every combination of label values that is known beforehand."""
        every = product(*(_KNOWN[label] for label in self.labels))
        placed = [tuple(sorted(zip(self.labels, values, strict=True))) for values in every]
        return {(name, labels): 0.0 for name in names for labels in placed}


COUNTERS: Mapping[str, _Kind] = {
    "cimis_runs_total": _Kind("Runs that ended, by exit code.", ("scope", "exit_code")),
    "cimis_requests_total": _Kind("Requests sent, every try.", ("scope",)),
    "cimis_retries_total": _Kind("Requests that were tried again.", ("scope",)),
    "cimis_fetch_errors_total": _Kind("Tries of requests that failed.", ("status",)),
    "cimis_records_ingested_total": _Kind("Records that came and were stored.", ("scope",)),
    "cimis_records_revised_total": _Kind("Stored records that came differently.", ("scope",)),
    "cimis_station_years_total": _Kind("Stations' years carried out.", ("scope", "outcome")),
    "cimis_bytes_transferred_total": _Kind("Bytes over the wire.", ("scope",)),
}
GAUGES: Mapping[str, _Kind] = {
    "cimis_last_run_timestamp_seconds": _Kind("When the last run ended.", ("scope",)),
    "cimis_last_run_success_timestamp_seconds": _Kind(
        "When the last run that stored all ended.", ("scope",)
    ),
    "cimis_last_run_success_ratio": _Kind(
        "Share of the last run's stations that succeeded.", ("scope",)
    ),
    "cimis_compression_ratio": _Kind(
        "Bytes of the last run's answers by those over the wire.", ("scope",)
    ),
    "cimis_alloc_bytes_per_record": _Kind(
        "Memory kept per record, as --allocs measured it last.", ("path",)
    ),
    "cimis_checksum_failures": _Kind("Damaged chunks that the last verify found.", ()),
    "cimis_verify_timestamp_seconds": _Kind("When the last verify ended.", ()),
    "cimis_chunks": _Kind("Chunks stored.", ("scope", "format")),
    "cimis_records": _Kind("Records stored.", ("scope",)),
    "cimis_chunk_bytes": _Kind("Bytes of the chunk files.", ("scope",)),
    "cimis_mirror_bytes": _Kind(
        "Bytes of the read cache of what is stored now; 0 where it is not made.", ("scope",)
    ),
    "cimis_provisional_days": _Kind("Days stored that may still change.", ("scope",)),
    "cimis_station_last_success_timestamp_seconds": _Kind(
        "When a station's newest chunk was stored.", ("scope", "station")
    ),
    "cimis_station_last_record_timestamp_seconds": _Kind(
        "Time of a station's newest record.", ("scope", "station")
    ),
}
HISTOGRAMS: Mapping[str, _Kind] = {
    "cimis_fetch_duration_seconds": _Kind(
        "Duration of a request's phases, and of writing a station's year.", ("phase",)
    ),
}

Mirrored = Callable[[], Mapping[str, int]]
"""Gives by scope the bytes of the read cache of what is stored now."""


class _Collector:
    """Reads everything anew at each scrape."""

    def __init__(self, root: Path, mirrored: Mirrored | None) -> None:
        self._root = root
        self._mirrored = mirrored

    def collect(self) -> Iterator[Metric]:
        """Yield all metrics; one without a value yet is there without samples."""
        values: dict[Series, float] = {}
        for name, kind in COUNTERS.items():
            values |= kind.beginnings(name)
        for name, kind in HISTOGRAMS.items():
            values |= kind.beginnings(f"{name}_sum")
        values |= Tallies(self._root).read()
        for scope, size in (self._mirrored() if self._mirrored else {}).items():
            values["cimis_mirror_bytes", (("scope", scope),)] = size
        with Catalog(self._root) as catalog:
            values |= _of_chunks(catalog.chunks())
        for name, kind in COUNTERS.items():
            counter = CounterMetricFamily(name, kind.help, labels=kind.labels)
            yield _filled(counter, name, kind, values)
        for name, kind in GAUGES.items():
            yield _filled(
                GaugeMetricFamily(name, kind.help, labels=kind.labels), name, kind, values
            )
        for name, kind in HISTOGRAMS.items():
            yield _histogram(name, kind, values)


def _filled(
    family: CounterMetricFamily | GaugeMetricFamily,
    name: str,
    kind: _Kind,
    values: Mapping[Series, float],
) -> Metric:
    for (series, labels), value in sorted(values.items()):
        if series == name:
            given = dict(labels)
            family.add_metric([given[label] for label in kind.labels], value)
    return family


def _histogram(name: str, kind: _Kind, values: Mapping[Series, float]) -> Metric:
    family = HistogramMetricFamily(name, kind.help, labels=kind.labels)
    counted = {labels for series, labels in values if series == f"{name}_sum"}
    for labels in sorted(counted):
        total, buckets = 0.0, []
        for edge in [*(f"{edge:g}" for edge in BUCKETS_S), "+Inf"]:
            place = tuple(sorted((*labels, ("le", edge))))
            total += values.get((f"{name}_bucket", place), 0.0)
            buckets.append((edge, total))
        given = dict(labels)
        of = [given[label] for label in kind.labels]
        family.add_metric(of, buckets, values[f"{name}_sum", labels])
    return family


def _of_chunks(chunks: list[ChunkRow]) -> dict[Series, float]:
    """Return what the catalog's chunks say at the moment."""
    found: dict[Series, float] = {}

    def add(name: str, amount: float, **labels: str) -> None:
        series = name, tuple(sorted(labels.items()))
        found[series] = found.get(series, 0.0) + amount

    def newest(name: str, moment: float, **labels: str) -> None:
        series = name, tuple(sorted(labels.items()))
        found[series] = max(found.get(series, moment), moment)

    for chunk in chunks:
        scope = chunk.scope.value
        add("cimis_chunks", 1, scope=scope, format=chunk.format)
        add("cimis_records", chunk.rows, scope=scope)
        add("cimis_chunk_bytes", chunk.file_bytes, scope=scope)
        days = 0
        if chunk.provisional_from_s is not None:
            days = max((chunk.last_s - chunk.provisional_from_s) // DAY_S + 1, 0)
        add("cimis_provisional_days", days, scope=scope)
        where = {"scope": scope, "station": str(chunk.station or chunk.target)}
        stored = dt.datetime.fromisoformat(chunk.fetched_at).timestamp()
        newest("cimis_station_last_success_timestamp_seconds", stored, **where)
        last_utc_s = chunk.last_s + BEHIND_UTC_H * HOUR_S
        newest("cimis_station_last_record_timestamp_seconds", last_utc_s, **where)
    return found


def registry(root: Path, mirrored: Mirrored | None = None) -> CollectorRegistry:
    """Return a registry that reads a data directory at each scrape.

    Parameters
    ----------
    root : Path
    mirrored : function, optional
        What the read cache takes.

    Raises
    ------
    StoreError
        At a scrape, when there is no catalog or it cannot be read.
    """
    made = CollectorRegistry(auto_describe=False)
    made.register(_Collector(root, mirrored))
    return made


def text(root: Path, mirrored: Mirrored | None = None) -> str:
    """Return all metrics of a data directory as a scrape gives them."""
    return generate_latest(registry(root, mirrored)).decode()


def write(path: Path, root: Path, mirrored: Mirrored | None = None) -> None:
    """Write them to a file for node_exporter's textfile collector; a reader sees all or none.

    Raises
    ------
    StoreError
        When the file cannot be written.
    """
    with disk_errors(path, "write"):
        write_to_textfile(str(path), registry(root, mirrored))
