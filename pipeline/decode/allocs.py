"""What decoding costs in memory: bytes kept per record, peak above the start, object counts."""

from __future__ import annotations

import gc
import sys
import tracemalloc
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import pyarrow as pa

__all__ = ["AllocReport", "Allocations", "resident_bytes"]

_STATM = Path("/proc/self/statm")


@dataclass(slots=True)
class AllocReport:
    """Figures of one measurement, in bytes and counts.

    ``kept`` are the buffers of the batches that were kept, each counted once. ``rss_peak_above``
    is the highest resident memory seen above that at the start, ``python_objects`` the growth in
    allocated objects, ``arrow_bytes`` and ``arrow_peak`` the growth of Arrow's pool.
    ``python_bytes`` and ``python_peak`` are tracemalloc's, None unless tracing was asked for.
    """

    records: int = 0
    batches: int = 0
    kept: int = 0
    rss_start: int = 0
    rss_peak_above: int = 0
    python_objects: int = 0
    arrow_bytes: int = 0
    arrow_peak: int = 0
    python_bytes: int | None = None
    python_peak: int | None = None

    @property
    def kept_per_record(self) -> float:
        """Bytes kept per record; 0 without records."""
        return self.kept / self.records if self.records else 0.0

    def add(self, other: AllocReport, *, share: float = 1.0) -> None:
        """Add a share of what another measurement counted, and take the higher peaks."""
        for name in ("records", "kept", "python_objects", "arrow_bytes"):
            setattr(self, name, getattr(self, name) + round(share * getattr(other, name)))
        self.rss_peak_above = max(self.rss_peak_above, other.rss_peak_above)
        self.arrow_peak = max(self.arrow_peak, other.arrow_peak)

    def as_dict(self) -> dict[str, int | float | None]:
        """Return the figures ready for JSON, under the names of a run's report."""
        return {
            "bytes_per_record": round(self.kept_per_record, 2),
            "bytes_kept": self.kept,
            "records": self.records,
            "python_objects": self.python_objects,
            "python_peak_bytes": self.python_peak,
            "arrow_peak_bytes": self.arrow_peak,
            "rss_peak_above_start_bytes": self.rss_peak_above,
        }


class Allocations:
    """Measures while it is open; cheap enough to leave in, unless tracing is asked for.

    Parameters
    ----------
    trace : bool
        Also ask tracemalloc, which makes Python code several times slower.

    Examples
    --------
    >>> with Allocations() as allocations:
    ...     allocations.keep(pa.record_batch({"station": pa.array([2, 5], pa.uint16())}))
    >>> allocations.report.records, allocations.report.kept
    (2, 4)
    """

    def __init__(self, *, trace: bool = False) -> None:
        self.report = AllocReport()
        self._trace = trace
        self._tracing_before = False
        self._objects = 0
        self._arrow = 0

    def __enter__(self) -> Self:
        gc.collect()  # what was left over by others must not be freed on our account
        self._objects = sys.getallocatedblocks()
        self._arrow = pa.total_allocated_bytes()
        self.report.rss_start = resident_bytes()
        if self._trace:
            self._tracing_before = tracemalloc.is_tracing()
            tracemalloc.start()
            tracemalloc.reset_peak()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.sample()
        report = self.report
        if self._trace:
            report.python_bytes, report.python_peak = tracemalloc.get_traced_memory()
            if not self._tracing_before:
                tracemalloc.stop()
        report.python_objects = sys.getallocatedblocks() - self._objects
        report.arrow_bytes = pa.total_allocated_bytes() - self._arrow

    def sample(self) -> None:
        """Look at resident memory and Arrow's pool now; some 10 µs."""
        report = self.report
        report.rss_peak_above = max(report.rss_peak_above, resident_bytes() - report.rss_start)
        report.arrow_peak = max(report.arrow_peak, pa.total_allocated_bytes() - self._arrow)

    def hold(self, size_bytes: int) -> None:
        """Count memory other than batches that is held for the records."""
        self.report.kept += size_bytes
        self.sample()

    def keep(self, batch: pa.RecordBatch) -> None:
        """Count a batch that the caller keeps."""
        self.report.batches += 1
        self.report.records += batch.num_rows
        self.report.kept += batch.get_total_buffer_size()
        self.sample()


def resident_bytes() -> int:
    """Return the process's resident memory, or its highest so far; 0 where no system tells."""
    try:
        import resource
    except ImportError:  # Windows
        return 0
    with suppress(OSError):  # macOS has no /proc
        return int(_STATM.read_text("ascii").split()[1]) * resource.getpagesize()
    highest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return highest if sys.platform == "darwin" else highest * 1024
