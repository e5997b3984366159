"""Saved API answers as an index of records: values, flags and units as the texts they were."""

from __future__ import annotations

import json
import logging
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cimis.pipeline.errors import UsageError
from cimis.pipeline.field.items import Scope, Standard

__all__ = ["SavedAnswers", "StationRecords"]

_LOG = logging.getLogger(__name__)

Key = tuple[str, str]  # date, hour ("" where daily)


@dataclass(slots=True)
class StationRecords:
    """One station's saved records of one scope, and the spans of days that whole files cover."""

    standard: dict[Key, Standard] = field(default_factory=dict)
    cells: dict[Key, dict[str, dict[str, Any]]] = field(default_factory=dict)
    spans: list[tuple[str, str]] = field(default_factory=list)
    zip_codes: str = ""

    def covers(self, date: str) -> bool:
        """Tell whether a file speaks for a day, even by its silence."""
        return any(first <= date <= last for first, last in self.spans)


class SavedAnswers:
    """Every record and station list of saved JSON answers; a later file wins over an earlier."""

    def __init__(self) -> None:
        self.records: dict[tuple[int, Scope], StationRecords] = {}
        self.stations: dict[int, dict[str, object]] = {}

    def add(self, path: Path) -> bool:
        """Take a file in; return whether it was a saved answer.

        Raises
        ------
        UsageError
            When it is JSON of the API's shape but broken.
        """
        try:
            body = json.loads(path.read_bytes())
        except ValueError as error:
            raise UsageError(f"{path} is no whole JSON: {error}", hint="remove the file") from None
        if not isinstance(body, dict):
            return False
        for place, station in enumerate(body.get("Stations") or []):
            self._add_station(path, place, station)
        providers = (body.get("Data") or {}).get("Providers") or []
        try:
            for provider in providers:
                self._add_records(provider.get("Records") or [])
        except (AttributeError, TypeError, ValueError) as error:
            raise UsageError(
                f"{path} holds a record that the service does not send: {error}",
                hint="remove the record, or the file",
            ) from None
        return bool(providers or body.get("Stations"))

    def _add_station(self, path: Path, place: int, station: Any) -> None:
        """Take in an entry of a list as it is; one without a number cannot be served."""
        number = station.get("StationNbr") if isinstance(station, dict) else None
        if re.fullmatch(r"[0-9]{1,5}", str(number)):
            self.stations[int(str(number))] = station
            return
        _LOG.warning("%s: entry %d of the stations has no StationNbr; left out", path, place)

    def _add_records(self, records: list[dict[str, Any]]) -> None:
        spans: dict[tuple[int, Scope], list[str]] = {}
        for record in records:
            if not record.keys() >= {"Station", "Scope", "Date", "Standard"}:
                continue
            who = int(record["Station"]), Scope(record["Scope"])
            held = self.records.setdefault(who, StationRecords())
            key = record["Date"], record.get("Hour") or ""
            held.standard[key] = Standard(record["Standard"])
            held.zip_codes = record.get("ZipCodes") or held.zip_codes
            cells = {k: v for k, v in record.items() if isinstance(v, dict) and "Value" in v}
            held.cells.setdefault(key, {}).update(cells)
            spans.setdefault(who, []).append(record["Date"])
        for who, dates in spans.items():
            self.records[who].spans.append((min(dates), max(dates)))
