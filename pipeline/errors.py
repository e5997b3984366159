"""Every error a user can meet, as one tree that says what was wrong, where, and what to do next.

    CimisError                      1   our own fault unless a subclass says otherwise
    ├── UsageError                  2   wrong use: option, date, item, station, configuration
    │   └── RequestRefused          2   the service refuses what was asked (4xx with an ERR code)
    │       └── TooManyRecords      2   over the service's cap (ERR2112); a smaller request may pass
    ├── NoDataError                 3   nothing matched
    ├── FetchInterrupted            4   stopped part-way or some stations failed; the rest stays
    ├── AuthError                   5   key missing or refused (401, 403)
    ├── ServiceError                6   the service or the network fails; mostly retryable
    │   ├── RateLimited             6   429, with the wait that the service asked for
    │   ├── NetworkError            6   DNS, connect, TLS, read, time-out, truncated body
    │   ├── FirewallPage            6   an HTML page where JSON was due
    │   └── DecodeError             6   a body that is not what the API sends; never retried
    ├── StoreError                  7   data directory, catalog or lock
    │   └── ChunkError              7   a damaged or impossible chunk: file, offset, reason
    └── CheckFailed                 8   verify, gaps --fail-under, doctor

The number is the exit code. Nothing here imports outside the standard library.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

__all__ = [
    "AuthError",
    "CheckFailed",
    "ChunkError",
    "CimisError",
    "DecodeError",
    "FetchInterrupted",
    "FirewallPage",
    "NetworkError",
    "NoDataError",
    "RateLimited",
    "RequestRefused",
    "ServiceError",
    "StoreError",
    "TooManyRecords",
    "UsageError",
]


class CimisError(Exception):
    """Root of the tree.

    Parameters
    ----------
    message : str
        What was wrong, in one line, without the API key.
    hint : str, optional
        What to do next, in one line.
    """

    exit_code: ClassVar[int] = 1
    retryable: bool = False
    report: Any = None
    """The report of the run that ended so, where it was one; of a sync ``reports`` are all."""
    reports: Sequence[Any] = ()
    pointer: str | None = None
    """The line of a question at which something is wrong, and a mark below the place, if known."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return self.message

    @property
    def fault(self) -> str:
        """What was wrong, for who has said where."""
        return self.message

    def as_dict(self) -> dict[str, Any]:
        """Return the error as JSON-ready facts: class, message, hint, retryable and the rest."""
        facts: dict[str, Any] = {"class": type(self).__name__, "message": str(self)}
        for name, value in vars(self).items():
            if (
                name in ("message", "report", "reports", "pointer")
                or name.startswith("_")
                or value in (None, (), [])
            ):
                continue
            facts[name] = str(value) if isinstance(value, dt.date | Path) else value
        facts["retryable"] = self.retryable
        return facts


class UsageError(CimisError):
    """Wrong use: an option, date, item or setting that cannot be meant."""

    exit_code = 2


class NoDataError(CimisError):
    """The question was right but nothing in the store matches it."""

    exit_code = 3


class FetchInterrupted(CimisError):
    """A run stopped part-way, or some of its stations failed; what is done is kept."""

    exit_code = 4


class _RequestError(CimisError):
    """An error of one request: carries status, ERR code, stations and dates."""

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        status: int | None = None,
        err_code: str | None = None,
        stations: Sequence[int | str] = (),
        start: dt.date | None = None,
        end: dt.date | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.err_code = err_code
        self.stations = tuple(stations)
        self.start = start
        self.end = end


class RequestRefused(_RequestError, UsageError):
    """The service refuses the request for good: 400 or 404 with its ERR code."""


class TooManyRecords(RequestRefused):
    """The request asks for more records than the service gives at once: ERR2112."""


class AuthError(_RequestError):
    """The API key is missing or refused."""

    exit_code = 5


class ServiceError(_RequestError):
    """The service or the way to it fails; trying again later may help.

    ``retry_after_s`` is the wait in seconds that the service asked for, if any.
    """

    exit_code = 6
    retryable = True

    def __init__(self, message: str, *, retry_after_s: float | None = None, **where: Any) -> None:
        super().__init__(message, **where)
        self.retry_after_s = retry_after_s


class RateLimited(ServiceError):
    """HTTP 429: too many requests."""


class NetworkError(ServiceError):
    """DNS, connect, TLS, read or time-out failure, or a body cut short; ``kind`` names which."""

    def __init__(self, message: str, *, kind: str, **where: Any) -> None:
        super().__init__(message, **where)
        self.kind = kind


class FirewallPage(ServiceError):
    """An HTML page, usually with status 200, where JSON was due."""


class DecodeError(ServiceError):
    """A body that is not what the API sends.

    Parameters
    ----------
    reason : str
        What was found, and what was due.
    offset : int, optional
        Byte offset in the decoded body.
    record : int, optional
        Number of the record, from 0.
    station : str, optional
    date : str, optional
    key : str, optional
        JSON key of the item or field.
    text : str, optional
        The offending text, shortened.
    """

    retryable = False

    def __init__(
        self,
        reason: str,
        *,
        offset: int | None = None,
        record: int | None = None,
        station: str | None = None,
        date: str | None = None,
        key: str | None = None,
        text: str | None = None,
        hint: str | None = None,
        **where: Any,
    ) -> None:
        places = [
            f"record {record}" if record is not None else None,
            f"station {station}" if station else None,
            date,
            key,
            f"byte {offset}" if offset is not None else None,
        ]
        place = ", ".join(p for p in places if p)
        shown = f": {text!r}" if text is not None else ""
        super().__init__(f"{reason}{shown}" + (f" ({place})" if place else ""), hint=hint, **where)
        self.reason = reason
        self.offset = offset
        self.record = record
        self.station = station
        self.date = date
        self.key = key
        self.text = text


class StoreError(CimisError):
    """The data directory, its catalog or a lock is not usable."""

    exit_code = 7


class ChunkError(StoreError):
    """A chunk that is damaged, of an unknown version, or impossible.

    Parameters
    ----------
    reason : str
        What was found and what was due, with both numbers where there are two.
    path : path-like, optional
        The file.
    offset : int, optional
        Byte offset in the file.
    """

    def __init__(
        self,
        reason: str,
        *,
        path: str | Path | None = None,
        offset: int | None = None,
        hint: str | None = None,
    ) -> None:
        place = f"{path}: " if path is not None else ""
        at = f" (at byte {offset})" if offset is not None else ""
        super().__init__(f"{place}{reason}{at}", hint=hint)
        self.reason = reason
        self.path = str(path) if path is not None else None
        self.offset = offset

    @property
    def fault(self) -> str:
        """What was wrong, without the file."""
        return self.message.removeprefix(f"{self.path}: ")


class CheckFailed(CimisError):
    """A check that was asked for did not hold."""

    exit_code = 8
