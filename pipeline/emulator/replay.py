"""Real files as a source: saved API answers, FTP archives and web reports of one folder.

Where files overlap, a saved answer speaks for every day from its first to its last record; items
that it lacks, and other days, come from the archives. English values are answered in metric where
metric is asked, and the other way round, rounded as `cimis.pipeline.field.units` says: what an
English file holds is what is answered in English.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa

from cimis.pipeline.archive.ftp import is_ftp_zip, members, read_member
from cimis.pipeline.archive.web import is_web_report, read_web_report
from cimis.pipeline.emulator.saved import SavedAnswers
from cimis.pipeline.emulator.source import ItemTexts, RecordSet
from cimis.pipeline.errors import UsageError
from cimis.pipeline.field.items import Item, Scope, Standard
from cimis.pipeline.field.time import hour_text
from cimis.pipeline.field.units import english_decimals, metric_decimals, to_english, to_metric
from cimis.pipeline.rows.schema import decimals_of

__all__ = ["ReplaySource"]

Key = tuple[str, str]
Cell = tuple[str | None, str, str]  # value text, flag, unit
_STATIONS_KEPT = 64


class ReplaySource:
    """Serves what real files hold, as the live service would have answered.

    Parameters
    ----------
    folder : path-like
        Searched with its subfolders; files are known by their content.

    Raises
    ------
    UsageError
        When there is no such folder, nothing in it can be served, or a file is broken.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        if not self.folder.is_dir():
            raise UsageError(f"{folder} is no folder", hint="name the folder of files to replay")
        self._saved = SavedAnswers()
        self._archives: dict[int, list[tuple[Path, str]]] = {}
        self._reports: dict[tuple[int, Scope], pa.Table] = {}
        for path in sorted(self.folder.rglob("*")):
            if path.is_file():
                self._add(path)
        numbers = {n for n, _ in (*self._saved.records, *self._reports)} | set(self._archives)
        if not numbers:
            raise UsageError(
                f"nothing in {folder} can be replayed",
                hint="saved API answers (.json), FTP zips and web reports (.csv) can",
            )
        self._stations = dict(self._saved.stations)
        for number in numbers - set(self._stations):
            self._stations[number] = _unlisted(number)
        self._cells = lru_cache(maxsize=_STATIONS_KEPT)(self._archived)

    def _add(self, path: Path) -> None:
        if path.suffix == ".json":
            self._saved.add(path)
        elif path.suffix == ".zip" and is_ftp_zip(path):
            for station, name in members(path, Scope.DAILY).items():
                self._archives.setdefault(station, []).append((path, name))
        elif path.suffix == ".csv" and is_web_report(path):
            table = read_web_report(path)
            scope = Scope.HOURLY if "time" in table.schema.names else Scope.DAILY
            for station in table["station"].unique().to_pylist():
                rows = np.asarray(table["station"]) == station
                self._reports[station, scope] = table.filter(pa.array(rows))

    def stations(self) -> Sequence[Mapping[str, object]]:
        """Return the listed stations, and those that only data tell of, by number."""
        return [self._stations[number] for number in sorted(self._stations)]

    def spatial(self) -> None:
        """Tell that no file holds spatial data."""
        return

    def records(
        self,
        station: int,
        scope: Scope,
        start: dt.date,
        end: dt.date,
        items: Sequence[Item],
        standard: Standard,
    ) -> RecordSet:
        """Return a station's records as the files hold them."""
        first, last = start.isoformat(), end.isoformat()
        saved = self._saved.records.get((station, scope))
        archived = self._cells(station, scope)
        keys = {k for k in archived if first <= k[0] <= last}
        if saved is not None:
            keys = {k for k in keys if not saved.covers(k[0])}
            keys |= {k for k in saved.cells if first <= k[0] <= last}
        ordered = sorted(keys)
        texts = {}
        for item in items:
            cells = [self._cell(station, scope, key, item, standard) for key in ordered]
            unit = next((c[2] for c in cells if c[2]), item.unit(standard))
            texts[item.json_key] = ItemTexts([c[0] for c in cells], [c[1] for c in cells], unit)
        zips = saved.zip_codes if saved is not None and saved.zip_codes else self._zips(station)
        dates, hours = [k[0] for k in ordered], [k[1] for k in ordered if k[1]]
        return RecordSet(station, standard, scope, zips, dates, hours, texts)

    def _zips(self, station: int) -> str:
        codes = self._stations[station].get("ZipCodes")
        return ", ".join(str(c) for c in codes) if isinstance(codes, list) else ""

    def _cell(self, station: int, scope: Scope, key: Key, item: Item, standard: Standard) -> Cell:
        saved = self._saved.records.get((station, scope))
        cell = saved.cells.get(key, {}).get(item.json_key) if saved is not None else None
        if saved is not None and cell is not None:
            value, flag, unit = cell["Value"], cell.get("Qc") or " ", cell.get("Unit") or ""
            if saved.standard[key] is not standard:
                return _other_standard(value, item, standard), flag, item.unit(standard)
            return value, flag, unit
        found = self._cells(station, scope).get(key, {}).get(item.code)
        if found is None:
            return None, " ", ""
        value, flag = found
        if standard is Standard.ENGLISH:
            value = _other_standard(value, item, standard)
        return value, flag, item.unit(standard)

    def _archived(self, station: int, scope: Scope) -> dict[Key, dict[str, tuple[str | None, str]]]:
        """Return the metric cells of a station that archives and reports hold."""
        tables = []
        if scope is Scope.DAILY:
            found = (read_member(p, name) for p, name in self._archives.get(station, ()))
            tables += [table for table in found if table is not None]
        if (station, scope) in self._reports:
            tables.append(self._reports[station, scope])
        cells: dict[Key, dict[str, tuple[str | None, str]]] = {}
        for table in tables:
            keys = _keys(table, scope)
            for code, values, flags in _columns(table):
                for key, value, flag in zip(keys, values, flags, strict=True):
                    cells.setdefault(key, {})[code] = (value, flag)
        return cells


def _unlisted(number: int) -> dict[str, object]:
    """Return the list's entry of a station of which only data are known."""
    unknown = "City RegionalOffice County ConnectDate DisconnectDate Elevation GroundCover"
    entry: dict[str, object] = {"StationNbr": str(number), "Name": f"Station{number}"}
    for name in (*unknown.split(), "HmsLatitude", "HmsLongitude", "SitingDesc"):
        entry[name] = ""
    return entry | {"IsActive": "False", "IsEtoStation": "False", "ZipCodes": []}


def _keys(table: pa.Table, scope: Scope) -> list[Key]:
    dates = np.datetime_as_string(np.asarray(table["date"]).astype("datetime64[D]")).tolist()
    if scope is Scope.DAILY:
        return [(date, "") for date in dates]
    hours = table["hour"].to_pylist()
    return [(date, hour_text(hour)) for date, hour in zip(dates, hours, strict=True)]


def _columns(table: pa.Table) -> Iterator[tuple[str, list[str | None], list[str]]]:
    """Yield item code, value texts and flags of each value column."""
    for field in table.schema:
        code = (field.metadata or {}).get(b"item")
        if code is None:
            continue
        places = decimals_of(field)
        numbers = table[field.name].to_pylist()
        values = [None if n is None else f"{n / 10**places:.{places}f}" for n in numbers]
        flags = [flag or " " for flag in table[f"{field.name}_qc"].to_pylist()]
        yield code.decode(), values, flags


def _other_standard(value: str | None, item: Item, asked: Standard) -> str | None:
    """Return a value's text in the standard asked for; texts that are no number stay."""
    if value is None or item.quantity.ratio is None:
        return value
    if not re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)", value.strip()):
        return value
    number = Decimal(value.strip())
    places = max(-int(number.as_tuple().exponent), 0)
    scaled = int(number.scaleb(places))
    if asked is Standard.METRIC:
        decimals = metric_decimals(item, places)
        converted = to_metric(scaled, places, item, decimals)
    else:
        decimals = english_decimals(item, places)
        converted = to_english(scaled, places, item, decimals)
    return f"{Decimal(converted).scaleb(-decimals):.{decimals}f}"
