"""One station's year in a run: what was asked, came and was stored, and what it took."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from cimis.pipeline.decode.allocs import AllocReport
from cimis.pipeline.errors import CimisError
from cimis.pipeline.service import Timings

__all__ = ["StationYear", "compression_ratio"]


@dataclass(slots=True)
class StationYear:
    """One station's year in a run.

    ``expected``, ``received`` and ``stored`` are records (rows); ``stored`` are those of the run's
    days that now lie in the chunk. ``absent_days`` are days asked for without any row;
    ``skipped_days`` those not asked for because they are stored and final. Times and wire bytes of
    a request that serves several stations are shared by days.
    """

    station: int
    year: int
    target: str | None = None
    expected: int = 0
    received: int = 0
    stored: int = 0
    absent_days: int = 0
    skipped_days: int = 0
    requests: int = 0
    attempts: int = 0
    error: CimisError | None = None
    timings: Timings = field(default_factory=Timings)
    bytes_transferred: float = 0.0
    bytes_decoded: float = 0.0
    bytes_stored: int = 0
    content_encoding: str | None = None
    state: str | None = None
    added: int = 0
    revised: int = 0
    filled: int = 0
    allocs: AllocReport | None = None
    done: bool = False

    @property
    def name(self) -> int | str:
        """What people call it: the station's number, or the spatial target."""
        return self.target or self.station

    @property
    def success(self) -> bool:
        """Whether all that was asked for came and is stored."""
        return self.done and self.error is None

    def as_dict(self) -> dict[str, Any]:
        """Return the facts as JSON-ready values."""
        return {
            "station": None if self.target else self.station,
            "target": self.target,
            "year": self.year,
            "success": self.success,
            "records": self.stored,
            "expected": self.expected,
            "received": self.received,
            "stored": self.stored,
            "added": self.added,
            "revised": self.revised,
            "filled": self.filled,
            "absent_days": self.absent_days,
            "skipped_days": self.skipped_days,
            "state": self.state,
            "requests": self.requests,
            "attempts": self.attempts,
            "error": self.error.as_dict() if self.error is not None else None,
            "timings": self.timings.as_dict(),
            "bytes_transferred": round(self.bytes_transferred),
            "bytes_decoded": round(self.bytes_decoded),
            "bytes_stored": self.bytes_stored,
            "content_encoding": self.content_encoding,
            "compression_ratio": compression_ratio(self.bytes_decoded, self.bytes_transferred),
            "alloc_metrics": None if self.allocs is None else self.allocs.as_dict(),
        }


def compression_ratio(decoded: float, wire: float) -> float | None:
    """Return how many bytes of an answer one byte on the wire was; None where nothing came."""
    return round(decoded / wire, 3) if wire else None
