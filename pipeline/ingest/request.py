"""What a run is asked to fetch, checked once."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from pipeline.api import RetryPolicy, Timeouts
from pipeline.errors import UsageError
from pipeline.items import Item, Scope, default_items

__all__ = ["MAX_CONCURRENCY", "FetchRequest"]

MAX_CONCURRENCY = 64


@dataclass(frozen=True, slots=True)
class FetchRequest:
    """Stations and days to fetch, and how.

    Parameters
    ----------
    stations : tuple of int
        Station numbers.
    scope : Scope
        Daily or hourly.
    start, end : datetime.date
        First and last day, both inclusive. Today may be named; its values are never stored.
    items : tuple of Item, optional
        The items; empty takes the scope's defaults.
    concurrency : int
        Most requests at once, 1 to 64.
    retries : int
        Most retries of one request, after its first try.
    gzip : bool
        Whether compressed answers are asked for.
    format : {"v2", "v1"}
        Form of the chunks that are written.
    full : bool
        Ask again for days that are stored and final.
    dry_run : bool
        Plan only: no request, nothing written.
    allocs : bool
        Measure the memory that decoding and the rows take.
    plain : bool
        Take the plain path: one station a request, each body whole before it is parsed.
    timeouts : Timeouts
        Longest waits for the service.
    policy : RetryPolicy, optional
        When and how to try again; its tries follow `retries` unless given.

    Raises
    ------
    UsageError
        For a value that cannot be meant.
    """

    stations: tuple[int, ...]
    start: dt.date
    end: dt.date
    scope: Scope = Scope.DAILY
    items: tuple[Item, ...] = ()
    concurrency: int = 4
    retries: int = 3
    gzip: bool = True
    format: str = "v2"
    full: bool = False
    dry_run: bool = False
    allocs: bool = False
    plain: bool = False
    timeouts: Timeouts = field(default_factory=Timeouts)
    policy: RetryPolicy | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "stations", tuple(sorted(set(self.stations))))
        object.__setattr__(self, "items", tuple(self.items) or default_items(self.scope))
        if self.policy is None:
            object.__setattr__(self, "policy", RetryPolicy(tries=self.retries + 1))
        if not self.stations:
            raise UsageError("no station named", hint="name at least one, as 2,5-7")
        if not 1 <= self.concurrency <= MAX_CONCURRENCY:
            raise UsageError(
                f"a concurrency of {self.concurrency} is not possible",
                hint=f"1 to {MAX_CONCURRENCY}; the service may limit more than 8",
            )
        if not 0 <= self.retries <= 100:
            raise UsageError(f"{self.retries} retries are not possible", hint="0 to 100")
        if self.format not in ("v1", "v2"):
            raise UsageError(f"unknown chunk format '{self.format}'", hint="choose v2 or v1")
        foreign = [item.code for item in self.items if item.scope is not self.scope]
        if foreign:
            raise UsageError(f"item '{foreign[0]}' is not {self.scope}", hint="see 'cimis items'")
