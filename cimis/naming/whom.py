"""Whom a fetch asks for: stations by number or place, and zip codes, coordinates and addresses."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cimis.naming.choice import Near, chosen_stations, placed
from cimis.naming.lists import NetworkLists
from cimis.naming.sites import Sites
from cimis.naming.where import Where
from cimis.pipeline.errors import UsageError
from cimis.pipeline.field.targets import Kind, Network, Target

if TYPE_CHECKING:
    from cimis.pipeline.service import ZipCode

__all__ = ["Whom", "Wished", "stations_of", "whom_of"]


@dataclass(frozen=True, slots=True)
class Wished:
    """Whom a user names.

    Parameters
    ----------
    sites : Sites
        Stations, and spatial targets; which network answers for zip codes, is open yet.
    where : Where
        Narrows the stations; where none are named, all that lie there are meant.
    network, prefer : Network, optional
        Which network alone, or first, answers for zip codes; by default the spatial one.
    on_near : callable, optional
        Hears which stations a point chose.
    """

    sites: Sites
    where: Where = field(default_factory=Where)
    network: Network | None = None
    prefer: Network | None = None
    on_near: Near | None = None

    @property
    def zip_codes(self) -> tuple[str, ...]:
        """The zip codes named."""
        return tuple(one.name for one in self.sites.targets or () if one.kind is Kind.ZIP)

    @property
    def others(self) -> tuple[Target, ...]:
        """The coordinates and addresses named."""
        return tuple(one for one in self.sites.targets or () if one.kind is not Kind.ZIP)


@dataclass(frozen=True, slots=True)
class Whom:
    """Whom a fetch asks for: see :class:`cimis.pipeline.fetch.FetchRequest`."""

    stations: tuple[int, ...] = ()
    targets: tuple[Target, ...] = ()
    zips: tuple[tuple[int, str], ...] = ()
    prefer: Network | None = None


def whom_of(
    wished: Wished, lists: NetworkLists, span: tuple[dt.date, dt.date], *, hourly: bool
) -> Whom:
    """Return whom a user means, asking the service for its lists where that takes them.

    Parameters
    ----------
    wished : Wished
    lists : NetworkLists
        Hears of numbers and zip codes that are left out. Whether the list of stations may be asked
        for, it says; those of zip codes are, where it takes them.
    span : pair of datetime.date
        First and last day.
    hourly : bool
        Hourly records exist of stations only.

    Raises
    ------
    UsageError
        For stations, counties, zip codes, points and addresses that are none.
    """
    targets = _addressed(wished.others, lists)
    names = [target.key for target in targets]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise UsageError(f"{twice} is named twice", hint="give each address a name of its own")
    stations = stations_of(wished, lists, span)
    zips: dict[int, str] = {}
    if wished.zip_codes:
        found, zips = _answering(wished, lists, span, hourly=hourly)
        if (stations or targets) and (zips or wished.prefer):
            raise UsageError(
                "zip codes of stations cannot be asked for together with others",
                hint="fetch them with a command of their own",
            )
        targets += found
        stations = (*stations, *zips)
    elif wished.network or wished.prefer:
        raise UsageError("--network and --prefer are about zip codes", hint="add --zip 93624")
    if not stations and not targets:
        raise UsageError(
            "nobody named to ask for",
            hint="name --stations 2,5-7, --county, --near, --zip, --coordinate or --address",
        )
    return Whom(stations, tuple(targets), tuple(sorted(zips.items())), wished.prefer)


def stations_of(
    wished: Wished, lists: NetworkLists, span: tuple[dt.date, dt.date]
) -> tuple[int, ...]:
    """Return the stations that a user means, by number or place; see :func:`whom_of`."""
    sites = wished.sites
    if sites.stations == ():
        if not wished.where:
            return ()
        sites = Sites()
    numbers = chosen_stations(sites, lists, span)
    return tuple(placed(lists.root, numbers, wished.where, span, on_near=wished.on_near) or ())


def _addressed(targets: Sequence[Target], lists: NetworkLists) -> list[Target]:
    """Return targets with the texts that the service is sent, of stored ones the catalog's."""
    if all(target.sent for target in targets):
        return list(targets)
    from cimis.pipeline.catalog.database import Catalog

    with Catalog(lists.root) as catalog:
        texts = catalog.targets()
    found = [one._replace(sent=one.sent or texts.get(one.key, "")) for one in targets]
    if unknown := next((target for target in found if not target.sent), None):
        raise UsageError(
            f"the address of '{unknown.name}' is not known",
            hint=f"write address:{unknown.name}=STREET, CITY",
        )
    return found


def _answering(
    wished: Wished, lists: NetworkLists, span: tuple[dt.date, dt.date], *, hourly: bool
) -> tuple[list[Target], dict[int, str]]:
    """Return the spatial targets that zip codes are, and the stations with the zip code of each."""
    from cimis.pipeline.field.targets import zip_target

    codes = wished.zip_codes
    if wished.network and wished.prefer:
        raise UsageError("--network and --prefer exclude each other", hint="give one of them")
    if (wished.network or Network.SCS) is Network.SCS and not wished.prefer:
        return [zip_target(code) for code in codes], {}
    first = wished.prefer or Network.WSN
    serving, spatial = lists.zip_codes(spatial=wished.prefer is not None)
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
        lists.say(f"these zip codes are served by {_listed(sorted(stations))}")
    return targets, stations


def _works(entry: ZipCode, span: tuple[dt.date, dt.date]) -> bool:
    ended = entry.disconnected
    return (entry.connected or span[0]) <= span[1] and (ended is None or ended >= span[0])


def _listed(numbers: list[int]) -> str:
    kind = "station" if len(numbers) == 1 else "stations"
    return f"{kind} {', '.join(map(str, numbers))}"
