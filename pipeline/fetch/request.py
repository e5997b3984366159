"""What a run is asked to fetch, checked once."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from cimis.pipeline.errors import UsageError
from cimis.pipeline.field.items import Item, Scope, default_items
from cimis.pipeline.field.site import SiteKind, kind_of_number, number_of_target
from cimis.pipeline.field.targets import (
    SPATIAL_FIRST_DAY,
    SPATIAL_ITEMS,
    Naming,
    Network,
    Target,
    spatial_items,
)
from cimis.pipeline.service import RetryPolicy, Timeouts

__all__ = ["MAX_CONCURRENCY", "FetchRequest"]

MAX_CONCURRENCY = 64


@dataclass(frozen=True, slots=True)
class FetchRequest:
    """Stations and days to fetch, and how.

    Parameters
    ----------
    stations : tuple of int
        Station numbers.
    targets : tuple of Target, optional
        Zip codes, coordinates and addresses of the spatial network, beside or instead of stations.
    zips : tuple of (int, str), optional
        Stations that are asked for by a zip code that they serve, and that zip code.
    prefer : Network, optional
        Ask the endpoint for zip codes that serves both networks, which this one goes first in.
    spans : tuple of (int, date, date), optional
        Ask for just these days of each number, whatever is stored.
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
    targets: tuple[Target, ...] = ()
    zips: tuple[tuple[int, str], ...] = ()
    prefer: Network | None = None
    spans: tuple[tuple[int, dt.date, dt.date], ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "stations", tuple(sorted(set(self.stations))))
        object.__setattr__(self, "items", tuple(self.items) or default_items(self.scope))
        if self.policy is None:
            object.__setattr__(self, "policy", RetryPolicy(tries=self.retries + 1))
        object.__setattr__(self, "targets", tuple(sorted(set(self.targets))))
        if self.targets:
            self._check_spatial()
        if not self.stations and not self.targets:
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

    @property
    def numbers(self) -> tuple[int, ...]:
        """Numbers of the stations, and those that stand for targets."""
        return (*self.stations, *map(number_of_target, range(len(self.targets))))

    @property
    def naming(self) -> Naming:
        """How the service is told whom the numbers mean."""
        return Naming(self.targets, self.zips, self.prefer)

    def items_of(self, number: int) -> tuple[Item, ...]:
        """Return the items to ask for of a station or target."""
        target = self.naming.target(number)
        return self.items if target is None else spatial_items(target, self.items)

    def span_of(self, number: int, span: tuple[dt.date, dt.date]) -> tuple[dt.date, dt.date] | None:
        """Return those days of a span for which a station or target can have data."""
        if kind_of_number(number) is SiteKind.STATION:
            return span
        first = max(span[0], SPATIAL_FIRST_DAY)
        return None if span[1] < first else (first, span[1])

    def _check_spatial(self) -> None:
        if self.scope is Scope.HOURLY:
            raise UsageError("spatial data are daily", hint="leave out --hourly")
        if self.format != "v2":
            raise UsageError("format v1 holds stations only", hint="leave out --format v1")
        if self.end < SPATIAL_FIRST_DAY and not self.stations:
            raise UsageError(
                f"spatial data begin on {SPATIAL_FIRST_DAY}", hint="ask for later days"
            )
        wished = not self.stations and self.items != default_items(self.scope)
        for target in self.targets:
            known = spatial_items(target, self.items)
            foreign = [item for item in self.items if item not in known]
            if not known or (foreign and wished):
                raise UsageError(
                    f"there are no spatial data of '{foreign[0].code}' for {target.key}",
                    hint=f"the items are {', '.join(SPATIAL_ITEMS[target.kind])}",
                )
