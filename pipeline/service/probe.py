"""What one small request tells of the service: whether it answers, how fast, and its clock."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime

import httpx

from cimis.pipeline.errors import CimisError
from cimis.pipeline.service.timings import Timings

__all__ = ["STATION", "Probe", "moment_of"]

STATION = "2"
"""The station whose entry is asked for: the network's first that still works."""


@dataclass(slots=True)
class Probe:
    """What came of the request.

    Attributes
    ----------
    error : CimisError, optional
        Why there was no answer of use; None where there was.
    said_at : datetime, optional
        The moment by the service's own clock, to the second, of any answer that says it.
    heard_at : datetime, optional
        The moment by this machine's clock at which that answer began.
    http_version : str, optional
    timings : Timings
    """

    error: CimisError | None = None
    said_at: dt.datetime | None = None
    heard_at: dt.datetime | None = None
    http_version: str | None = None
    timings: Timings = field(default_factory=Timings)

    async def heard(self, answer: httpx.Response) -> None:
        """Note an answer's head, whatever it answers."""
        self.heard_at = dt.datetime.now(dt.UTC)
        self.said_at = moment_of(answer.headers.get("date"))
        self.http_version = answer.http_version


def moment_of(date: str | None) -> dt.datetime | None:
    """Return the moment that a header of HTTP names; None where it names none."""
    try:
        moment = parsedate_to_datetime(date or "")
    except ValueError:
        return None
    return moment.replace(tzinfo=dt.UTC) if moment.tzinfo is None else moment.astimezone(dt.UTC)
