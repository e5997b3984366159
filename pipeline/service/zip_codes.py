"""Zip codes as the service lists them: those that stations serve, those of the spatial data."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cimis.pipeline.errors import DecodeError
from cimis.pipeline.service.stations import OnOdd, american_day, listed, readable

__all__ = ["ZipCode", "parse_zip_codes"]


@dataclass(frozen=True, slots=True)
class ZipCode:
    """One entry of a list of zip codes.

    ``station`` is None in the spatial network's list. ``connected`` and ``disconnected`` are None
    where the list does not say; ``disconnected`` too while the entry is active, whatever far date
    the service writes.
    """

    code: str
    station: int | None
    connected: dt.date | None
    disconnected: dt.date | None
    active: bool


def parse_zip_codes(body: bytes, *, on_odd: OnOdd | None = None) -> list[ZipCode]:
    """Return the entries of an answer, by zip code and station.

    Parameters
    ----------
    body : bytes
    on_odd : callable, optional
        Hears of each entry that is left out, because a field of it cannot be read or its zip code
        and station were listed before. By default it is logged.

    Raises
    ------
    DecodeError
        When the answer is not the service's list of zip codes, or no entry of it can be read.
    """
    entries = listed(body, "ZipCodes", "zip codes")
    found = readable(entries, _entry, lambda entry: (entry.code, entry.station or 0), on_odd)
    return [found[key] for key in sorted(found)]


def _entry(facts: Any) -> ZipCode:
    if not isinstance(facts, Mapping):
        raise DecodeError("an entry of a zip code is not a JSON object", text=repr(facts)[:60])
    code = str(facts.get("ZipCode", "")).strip()
    if not re.fullmatch(r"[0-9]{5}", code):
        raise _wrong(facts, "ZipCode", "a zip code")
    number = facts.get("StationNbr")
    if number is not None and not re.fullmatch(r"[0-9]{1,5}", str(number)):
        raise _wrong(facts, "StationNbr", "a station's number")
    active = str(facts.get("IsActive")).strip().lower()
    if active not in ("true", "false"):
        raise _wrong(facts, "IsActive", "True or False")
    return ZipCode(
        code,
        None if number is None else int(number),
        _day(facts, "ConnectDate"),
        None if active == "true" else _day(facts, "DisconnectDate"),
        active == "true",
    )


def _day(facts: Mapping[str, Any], key: str) -> dt.date | None:
    text = str(facts.get(key) or "").strip()
    found = american_day(text)
    if text and found is None:
        raise _wrong(facts, key, "a date as 2/20/2003")
    return found


def _wrong(facts: Mapping[str, Any], key: str, due: str) -> DecodeError:
    shown = repr(facts.get(key))[:60]
    code, number = facts.get("ZipCode", ""), facts.get("StationNbr")
    return DecodeError(
        f"field {key} of the zip code {str(code)[:20]!r} is not {due}",
        station=None if number is None else str(number)[:20],
        key=key,
        text=shown,
    )
