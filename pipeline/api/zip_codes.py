"""Zip codes as the service lists them: those that stations serve, those of the spatial data."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.api.stations import american_day, listed
from pipeline.errors import DecodeError

__all__ = ["ZipCode", "parse_zip_codes"]


@dataclass(frozen=True, slots=True, order=True)
class ZipCode:
    """One entry of a list of zip codes.

    ``station`` is None in the spatial network's list; ``disconnected`` is None while the entry is
    active, whatever far date the service writes.
    """

    code: str
    station: int | None
    connected: dt.date
    disconnected: dt.date | None
    active: bool


def parse_zip_codes(body: bytes) -> list[ZipCode]:
    """Return the entries of an answer, by zip code and station.

    Raises
    ------
    DecodeError
        When the answer is not the service's list of zip codes; the message names the field.
    """
    entries = map(_entry, listed(body, "ZipCodes", "zip codes"))
    return sorted(entries, key=lambda entry: (entry.code, entry.station or 0))


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


def _day(facts: Mapping[str, Any], key: str) -> dt.date:
    found = american_day(str(facts.get(key)).strip())
    if found is None:
        raise _wrong(facts, key, "a date as 2/20/2003")
    return found


def _wrong(facts: Mapping[str, Any], key: str, due: str) -> DecodeError:
    shown = repr(facts.get(key))[:60]
    return DecodeError(f"field {key} of a zip code is not {due}", key=key, text=shown)
