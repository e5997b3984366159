"""Whom a question or a fetch means: stations by number or name, and spatial targets."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, SupportsIndex, TypeAlias

from cimis.arguments import plain, whole_number
from cimis.naming.called import called
from cimis.naming.lists import known_stations
from cimis.parsing import parse_stations
from cimis.pipeline.errors import UsageError
from cimis.pipeline.field.items import Scope
from cimis.pipeline.field.site import LARGEST_STATION, SiteKind
from cimis.pipeline.field.targets import Kind, Target, address_target, target_of_key
from cimis.pipeline.lacks import Site

__all__ = ["EVERY_STATION", "Sites", "Stations", "sites_of", "station_numbers"]

Stations: TypeAlias = "SupportsIndex | str | Target | Iterable[SupportsIndex | str | Target]"

_HINT = "give numbers, as 2, [2, 5] or '2,5-7', names, as 'Davis', or targets, as 'zip:93624'"
_NEXT_TARGET = re.compile(r",\s*(?=(?:zip|coordinate|address)\s*:)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Sites:
    """Stations and spatial targets, each once and in order.

    Parameters
    ----------
    stations : tuple of int, optional
        None for all.
    targets : tuple of Target, optional
        None for all that are stored.
    singly : frozenset of int
        Those of the stations that were named by themselves, not in a range.
    """

    stations: tuple[int, ...] | None = None
    targets: tuple[Target, ...] | None = ()
    singly: frozenset[int] = frozenset()

    @property
    def kind(self) -> SiteKind:
        """Which they are; targets where any is among them."""
        some = self.targets is None or bool(self.targets)
        return SiteKind.TARGET if some else SiteKind.STATION

    @property
    def spatial(self) -> bool:
        """Whether targets are among them."""
        return self.kind is SiteKind.TARGET

    @property
    def named(self) -> tuple[Site, ...] | None:
        """Numbers, or keys of targets; None for all."""
        if self.spatial:
            return None if self.targets is None else tuple(target.key for target in self.targets)
        return self.stations

    def table(self, scope: Scope) -> str:
        """Return which table has their rows: ``daily``, ``hourly`` or ``spatial_daily``.

        Raises
        ------
        UsageError
            For stations and targets at once, and for hourly records of targets.
        """
        if not self.spatial:
            return scope.value
        if self.stations != ():
            raise UsageError(
                "rows of stations and of spatial targets share no table", hint="ask for them apart"
            )
        if scope is Scope.HOURLY:
            raise UsageError("spatial data are daily", hint="ask for daily records")
        return "spatial_daily"

    def only_stations(self, what: str) -> tuple[int, ...] | None:
        """Return the stations' numbers; `UsageError` for targets, of which ``what`` knows none."""
        if self.spatial:
            raise UsageError(f"{what} knows stations only", hint="leave out the spatial targets")
        return self.stations


EVERY_STATION = Sites()


def sites_of(given: Stations | None, root: Path) -> Sites:
    """Return whom a user means, who may mix numbers, names and targets.

    Parameters
    ----------
    given : int, str, Target, iterable of them, optional
        ``2``, ``[2, 5]``, ``"2,5-7"``, ``"Davis"``, ``"zip:93624"``; None or ``"all"`` for every
        station, ``"targets"`` for every spatial target that is stored.
    root : pathlib.Path
        The data directory, whose list of stations knows names.

    Raises
    ------
    UsageError
        For what is no station and no target, a name that several stations fit, and for nobody.
    """
    if given is None:
        return EVERY_STATION
    if isinstance(given, str) and (word := given.strip().lower()) in ("all", "targets"):
        return EVERY_STATION if word == "all" else Sites((), None)
    known = cache(partial(known_stations, root))
    numbers, singly = set[int](), set[int]()
    targets: dict[Target, None] = {}
    for part in _parts(given):
        target = _target(part) if isinstance(part, str) and ":" in part else part
        if isinstance(target, Target):
            targets[target] = None
            continue
        if isinstance(part, str):
            found = _numbers(part) or (called(part, known()),)
        else:
            found = (_number(part, bounded=not isinstance(given, range)),)
        numbers.update(found)
        if len(found) == 1:
            singly.update(found)
    if isinstance(given, range):  # as of a range on the command line, what cannot be is left out
        numbers, singly = {n for n in numbers if 1 <= n <= LARGEST_STATION}, set()
    if not numbers and not targets:
        raise UsageError("no station named", hint=_HINT)
    return Sites(tuple(sorted(numbers)), tuple(targets), frozenset(singly))


def station_numbers(given: Stations | None, root: Path, what: str) -> tuple[int, ...] | None:
    """Return the numbers of stations as a user may give them, None for all; see :func:`sites_of`.

    Raises
    ------
    UsageError
        Also for targets; ``what`` it is that knows stations only.
    """
    return sites_of(given, root).only_stations(what)


def _parts(given: Any) -> Iterator[Any]:
    """Yield the parts of what names stations: numbers, targets, and texts that name one."""
    if isinstance(given, str):
        for piece in _NEXT_TARGET.split(given):
            yield from [piece] if ":" in piece else filter(str.strip, piece.split(","))
        return
    if isinstance(given, bytes | bytearray | Mapping):
        raise UsageError(f"{given!r} names no stations", hint=_HINT)
    if isinstance(given, Target):
        yield given
        return
    try:
        several = iter(given)
    except TypeError:  # one number
        yield plain(given)
        return
    for one in map(plain, several):
        yield from _parts(one) if isinstance(one, str) else [one]


def _number(part: Any, *, bounded: bool) -> int:
    number = whole_number(part, f"'{part}' is not a station number", _HINT)
    if bounded and not 1 <= number <= LARGEST_STATION:
        raise UsageError(f"no station can have the number {number}", hint="1 to 65535")
    return number


def _numbers(text: str) -> tuple[int, ...]:
    """Return the numbers of a number or a range of them; none where a text is neither."""
    if re.fullmatch(r"[\s\d.-]+", text) is None:
        return ()
    return parse_stations(text) or ()


def _target(text: str) -> Target:
    kind, _, name = text.partition(":")
    if kind.strip().lower() == Kind.ADDRESS and "=" in name:
        return address_target(name)
    return target_of_key(text)
