"""Stations as the service lists them, made into values; an odd entry is told and left out."""

from __future__ import annotations

import datetime as dt
import html
import json
import logging
import re
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from cimis.pipeline.errors import DecodeError
from cimis.pipeline.field.site import LARGEST_STATION
from cimis.pipeline.field.units import FOOT_M

__all__ = [
    "OnOdd",
    "Reader",
    "Station",
    "american_day",
    "listed",
    "log_odd",
    "parse_stations",
    "readable",
    "station_from_json",
]

OnOdd = Callable[[DecodeError], None]
"""Hears of an entry of a list that cannot be read and is left out."""

T = TypeVar("T")


class Reader(Protocol[T]):
    """Makes the entries of a list from its body."""

    def __call__(self, body: bytes, *, on_odd: OnOdd | None = None) -> list[T]: ...  # noqa: D102


_STRANGE = "the service may have changed, or the base URL is not the API's; try again later"
_TOLD = ("Message", "message", "error")
"""Under which keys a service says what is wrong."""


@dataclass(frozen=True, slots=True)
class Station:
    """One weather station of the network.

    ``connected`` is None where the list does not say; ``disconnected`` too, and while the station
    is active, whatever far date the service writes.
    Latitude and longitude are decimal degrees, north and east positive; ``elevation_m`` is metres.
    ``eto`` tells whether the station measures reference evapotranspiration.
    """

    number: int
    name: str
    city: str
    county: str
    regional_office: str
    connected: dt.date | None
    disconnected: dt.date | None
    active: bool
    eto: bool
    elevation_m: float | None
    ground_cover: str
    latitude: float | None
    longitude: float | None
    zip_codes: tuple[str, ...]
    siting: str


def parse_stations(body: bytes, *, on_odd: OnOdd | None = None) -> list[Station]:
    """Return the stations of an answer, in order of their number.

    Parameters
    ----------
    body : bytes
    on_odd : callable, optional
        Hears of each entry that is left out, because a field of it cannot be read or its number was
        listed before; the error names station and field. By default it is logged.

    Raises
    ------
    DecodeError
        When the answer is not the service's list of stations, or no entry of it can be read.
    """
    entries = listed(body, "Stations", "stations")
    found = readable(entries, station_from_json, lambda station: station.number, on_odd)
    return [found[number] for number in sorted(found)]


def readable(
    entries: Iterable[Any], read: Callable[[Any], T], key: Callable[[T], Any], on_odd: OnOdd | None
) -> dict[Any, T]:
    """Return the entries that can be read, by their key; the others are told and left out.

    Raises
    ------
    DecodeError
        When there are entries, and none can be read.
    """
    found: dict[Hashable, T] = {}
    odd: list[DecodeError] = []
    for facts in entries:
        try:
            entry = read(facts)
            if found.setdefault(key(entry), entry) is not entry:
                raise _twice(facts)
        except DecodeError as error:
            odd.append(error)
    if odd and not found:
        odd[0].hint = odd[0].hint or _STRANGE
        raise odd[0]
    for told in odd:
        (on_odd or log_odd)(told)
    return found


def _twice(facts: Mapping[str, Any]) -> DecodeError:
    number, code = facts.get("StationNbr"), facts.get("ZipCode")
    return DecodeError(
        "it is listed twice; the first entry counts",
        station=None if number is None else str(number),
        key="StationNbr" if code is None else "ZipCode",
        text=None if code is None else str(code),
    )


def log_odd(error: DecodeError) -> None:
    """Log an entry that is left out, where nobody hears of it."""
    logging.getLogger(__name__).warning("an entry of the service's list is left out: %s", error)


def listed(body: bytes, key: str, what: str) -> list[Any]:
    """Return the entries of an answer that is a list under one key; `DecodeError` for another."""
    try:
        answer = json.loads(body.decode("utf-8-sig"))  # of bytes it would guess the coding
    except (ValueError, RecursionError) as error:
        shown = body[:40].decode("utf-8", "replace")
        raise DecodeError(
            f"the list of {what} is not JSON: {error}", text=shown, hint=_STRANGE
        ) from error
    entries = answer.get(key) if isinstance(answer, dict) else None
    if not isinstance(entries, list):
        told = (
            [answer[name] for name in _TOLD if name in answer] if isinstance(answer, dict) else []
        )
        text = str(told[0])[:160] if told else None
        raise DecodeError(f"the answer has no list '{key}'", key=key, text=text, hint=_STRANGE)
    return entries


def american_day(text: str) -> dt.date | None:
    """Return the day of ``6/7/1982``, None for a text that names none."""
    match = re.fullmatch(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})", text)
    try:
        return None if match is None else dt.date(int(match[3]), int(match[1]), int(match[2]))
    except ValueError:
        return None


def station_from_json(facts: Any) -> Station:
    """Return one station from its JSON object.

    Parameters
    ----------
    facts : mapping
        As the service sends it: every value a text, but ``ZipCodes`` a list of texts.

    Raises
    ------
    DecodeError
        For a field that is absent or cannot be read.
    """
    if not isinstance(facts, Mapping):
        raise DecodeError("a station is not a JSON object", text=repr(facts)[:60])
    read = _Fields(facts)
    active = read.truth("IsActive")
    return Station(
        number=read.number(),
        name=read.text("Name"),
        city=read.text("City"),
        county=read.text("County"),
        regional_office=read.text("RegionalOffice"),
        connected=read.day("ConnectDate"),
        disconnected=None if active else read.day("DisconnectDate"),
        active=active,
        eto=read.truth("IsEtoStation"),
        elevation_m=read.metres("Elevation"),
        ground_cover=read.text("GroundCover"),
        latitude=read.degrees("HmsLatitude", 90.0),
        longitude=read.degrees("HmsLongitude", 180.0),
        zip_codes=read.zip_codes(),
        siting=read.prose("SitingDesc"),
    )


class _Fields:
    """Reads the fields of one station; what cannot be read is an error that names it."""

    def __init__(self, facts: Mapping[str, Any]) -> None:
        self._facts = facts

    def _wrong(self, key: str, due: str) -> DecodeError:
        shown = repr(self._facts.get(key))[:60]
        return DecodeError(
            f"station field {key} is not {due}",
            station=str(self._facts.get("StationNbr", ""))[:20] or None,
            key=key,
            text=shown,
        )

    def text(self, key: str) -> str:
        value = self._facts.get(key)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise self._wrong(key, "text")
        # signs that steer a terminal have no place in a name
        return "".join(c if c.isprintable() or c in "\r\n\t" else " " for c in value).strip()

    def number(self) -> int:
        text = str(self._facts.get("StationNbr"))
        if not re.fullmatch(r"[0-9]{1,5}", text) or not 1 <= int(text) <= LARGEST_STATION:
            raise self._wrong("StationNbr", "a station's number")
        return int(text)

    def truth(self, key: str) -> bool:
        value = str(self._facts.get(key)).strip().lower()
        if value not in ("true", "false"):
            raise self._wrong(key, "True or False")
        return value == "true"

    def day(self, key: str) -> dt.date | None:
        """Return a day, None where the list does not say one."""
        text = self.text(key)
        found = american_day(text)
        if text and found is None:
            raise self._wrong(key, "a date as 6/7/1982")
        return found

    def metres(self, key: str) -> float | None:
        text = self.text(key)
        if not text:
            return None
        if not re.fullmatch(r"-?[0-9]+([.][0-9]+)?", text):
            raise self._wrong(key, "a height in feet")
        return round(float(text) * FOOT_M, 2)

    def degrees(self, key: str, most: float) -> float | None:
        """Return the decimal part of ``36º48'52N / 36.814444``, or a plain decimal."""
        text = self.text(key).rpartition("/")[2].strip()
        if not text:
            return None
        if not re.fullmatch(r"-?[0-9]+([.][0-9]+)?", text) or abs(float(text)) > most:
            raise self._wrong(key, "degrees")
        return float(text)

    def zip_codes(self) -> tuple[str, ...]:
        value = self._facts.get("ZipCodes") or []
        if isinstance(value, str):
            value = value.split(",")
        if not isinstance(value, list) or not all(isinstance(code, str) for code in value):
            raise self._wrong("ZipCodes", "a list of zip codes")
        return tuple(code.strip() for code in value if code.strip())

    def prose(self, key: str) -> str:
        """Return a description without its HTML."""
        plain = html.unescape(re.sub(r"<[^<>]*>", " ", self.text(key)))
        return " ".join(plain.split())
