"""Whom a fetch asks for: stations by number or place, and zip codes, coordinates and addresses."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cimis.cli.output import Output
from cimis.cli.targets import zip_list
from pipeline.errors import UsageError

if TYPE_CHECKING:
    from pipeline.api import RetryPolicy, Settings, Timeouts, ZipCode
    from pipeline.errors import DecodeError
    from pipeline.targets import Network, Target

__all__ = ["Whom", "Wished", "stations_of", "whom_of"]


@dataclass(frozen=True, slots=True)
class Wished:
    """Whom the options name, as texts."""

    stations: str | None = None
    county: str | None = None
    near: str | None = None
    within_km: float | None = None
    zip_codes: str | None = None
    network: str | None = None
    prefer: str | None = None
    coordinates: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()

    @property
    def by_place(self) -> bool:
        """Whether stations are named by where they lie."""
        return self.county is not None or self.near is not None


@dataclass(frozen=True, slots=True)
class Whom:
    """Whom a fetch asks for: see :class:`pipeline.ingest.FetchRequest`."""

    stations: tuple[int, ...] = ()
    targets: tuple[Target, ...] = ()
    zips: tuple[tuple[int, str], ...] = ()
    prefer: Network | None = None


def whom_of(
    wished: Wished,
    root: Path,
    settings: Settings,
    span: tuple[dt.date, dt.date],
    *,
    hourly: bool,
    ask: bool,
    out: Output,
    policy: RetryPolicy | None = None,
    timeout: Timeouts | None = None,
) -> Whom:
    """Return whom the options mean, asking the service for its lists where that takes them.

    Parameters
    ----------
    wished : Wished
    root : pathlib.Path
        The data directory, whose catalog keeps the list of stations.
    settings : Settings
    span : pair of datetime.date
        First and last day.
    hourly : bool
        Hourly records exist of stations only.
    ask : bool
        Whether the list of stations may be asked for; those of zip codes are, where it takes them.
    out : Output
        Hears of numbers and zip codes that are left out.
    policy, timeout : optional
        When to try again, and how long to wait.

    Raises
    ------
    UsageError
        For stations, counties, zip codes, points and addresses that are none.
    """
    from pipeline.targets import Network, address_target, coordinate_target

    targets = [coordinate_target(text) for text in wished.coordinates]
    targets += [address_target(text) for text in wished.addresses]
    names = [target.key for target in targets]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise UsageError(f"{twice} is named twice", hint="give each address a name of its own")
    stations = stations_of(
        wished, root, settings, span, ask=ask, out=out, policy=policy, timeout=timeout
    )
    zips: dict[int, str] = {}
    prefer = Network(wished.prefer.lower()) if wished.prefer else None
    if wished.zip_codes is not None:
        codes = zip_list(wished.zip_codes)
        found = _answering(codes, wished, settings, span, hourly, out, policy, timeout)
        targets += found[0]
        zips = found[1]
        if (stations or len(targets) > len(found[0])) and (zips or prefer):
            raise UsageError(
                "zip codes of stations cannot be asked for together with others",
                hint="fetch them with a command of their own",
            )
        stations = (*stations, *zips)
    elif wished.network or wished.prefer:
        raise UsageError("--network and --prefer are about zip codes", hint="add --zip 93624")
    if not stations and not targets:
        raise UsageError(
            "nobody named to ask for",
            hint="name --stations 2,5-7, --county, --near, --zip, --coordinate or --address",
        )
    return Whom(stations, tuple(targets), tuple(sorted(zips.items())), prefer)


def stations_of(
    wished: Wished,
    root: Path,
    settings: Settings,
    span: tuple[dt.date, dt.date],
    *,
    ask: bool,
    out: Output,
    policy: RetryPolicy | None = None,
    timeout: Timeouts | None = None,
) -> tuple[int, ...]:
    """Return the stations that the options mean, by number or place; see :func:`whom_of`."""
    from cimis.choice import chosen_stations
    from cimis.cli.placed import check_within, placed
    from cimis.parsing import parse_stations, single_stations

    if wished.stations is None and not wished.by_place:
        check_within(wished.near, wished.within_km)
        return ()
    text = wished.stations or "all"
    numbers = chosen_stations(
        parse_stations(text),
        root,
        settings,
        span,
        singly=single_stations(text),
        ask=ask,
        say=out.note,
        warn=out.warn,
        policy=policy,
        timeout=timeout,
    )
    chosen = placed(
        root,
        numbers,
        county=wished.county,
        near=wished.near,
        within_km=wished.within_km,
        span=span,
        out=out,
    )
    return tuple(chosen or ())


def _answering(
    codes: Iterable[str],
    wished: Wished,
    settings: Settings,
    span: tuple[dt.date, dt.date],
    hourly: bool,
    out: Output,
    policy: RetryPolicy | None,
    timeout: Timeouts | None,
) -> tuple[list[Target], dict[int, str]]:
    """Return the spatial targets that zip codes are, and the stations with the zip code of each."""
    from pipeline.targets import Network, zip_target

    if wished.network and wished.prefer:
        raise UsageError("--network and --prefer exclude each other", hint="give one of them")
    only = Network(wished.network.lower()) if wished.network else Network.SCS
    if only is Network.SCS and not wished.prefer:
        return [zip_target(code) for code in codes], {}
    first = Network(wished.prefer.lower()) if wished.prefer else Network.WSN
    serving, spatial = asyncio.run(
        _lists(settings, wished.prefer is not None, policy, timeout, out)
    )
    known = {entry.code for entry in spatial}
    targets: list[Target] = []
    stations: dict[int, str] = {}
    for code in codes:
        numbers = [e.station for e in serving if e.code == code and e.station and _works(e, span)]
        if code in known and not hourly and (first is Network.SCS or not numbers):
            targets.append(zip_target(code))
        elif numbers:
            stations |= {number: stations.get(number, code) for number in numbers}
        else:
            raise UsageError(
                f"no station served the zip code {code} in these days",
                hint="see 'cimis zip-codes', or ask the spatial network: --network scs",
            )
    if stations and not wished.prefer:
        out.note(f"these zip codes are served by {_listed(sorted(stations))}")
    return targets, stations


async def _lists(
    settings: Settings,
    both: bool,
    policy: RetryPolicy | None,
    waits: Timeouts | None,
    out: Output,
) -> tuple[list[ZipCode], list[ZipCode]]:
    """Ask for the zip codes of the stations and, where both are needed, of the spatial network."""
    from cimis.choice import left_out
    from pipeline.api import CimisClient
    from pipeline.targets import Network

    def told(error: DecodeError) -> None:
        out.warn(left_out(error))

    async with CimisClient(settings, policy=policy, timeout=waits) as client:
        stations = await client.zip_codes(Network.WSN, on_odd=told)
        return stations, await client.zip_codes(Network.SCS, on_odd=told) if both else []


def _works(entry: ZipCode, span: tuple[dt.date, dt.date]) -> bool:
    ended = entry.disconnected
    return (entry.connected or span[0]) <= span[1] and (ended is None or ended >= span[0])


def _listed(numbers: list[int]) -> str:
    kind = "station" if len(numbers) == 1 else "stations"
    return f"{kind} {', '.join(map(str, numbers))}"
