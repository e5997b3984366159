"""The network's FTP archive: zips of one headerless CSV per station, daily or hourly.

Two layouts, told apart by content. To 2013 a column's flag stands before its value and ``*`` means
passed; from 2014 on the value stands first and a blank means passed. The ETo of these files is the
network's own equation (item ``day-eto``): it agrees with the API's DayEto, not with DayAsceEto.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cimis.pipeline.archive.columns import (
    DECIMALS,
    ArchiveColumn,
    archive_table,
    dates_of,
    flags_of,
    hours_of,
    numbers_of,
    source_name,
)
from cimis.pipeline.archive.gauge import FINER, STATION, mend_rain
from cimis.pipeline.archive.layouts import KEY_COLUMNS, columns_of
from cimis.pipeline.archive.texts import cells_of
from cimis.pipeline.errors import UsageError
from cimis.pipeline.field.items import Scope, Standard, by_code
from cimis.pipeline.field.site import LARGEST_STATION
from cimis.pipeline.rows.schema import TIME_COLUMN

__all__ = ["is_ftp_zip", "members", "read_ftp_zip", "read_member"]

_NAME = re.compile(r"(?:\d{4}|[a-z]{3})?(daily|hourly)(\d{3})\.csv")


def _open(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except FileNotFoundError:
        raise UsageError(f"there is no file {path}", hint="check the path") from None
    except (zipfile.BadZipFile, OSError) as error:
        raise UsageError(
            f"{path} is no whole zip archive: {error}", hint="fetch the archive again"
        ) from None


def is_ftp_zip(path: Path) -> bool:
    """Tell whether a file is a zip with at least one member named as the archive's."""
    if not zipfile.is_zipfile(path):
        return False
    with _open(path) as archive:
        return any(_NAME.fullmatch(Path(name).name) for name in archive.namelist())


def members(path: Path, scope: Scope) -> dict[int, str]:
    """Return the archive's member names of a scope by station number, as their names tell."""
    with _open(path) as archive:
        names = {n: _NAME.fullmatch(Path(n).name) for n in archive.namelist()}
    found = {int(m[2]): name for name, m in names.items() if m and m[1] == scope.value}
    if not any(names.values()):
        raise UsageError(
            f"{path} holds no station file of the network's FTP archive",
            hint="members are named like daily002.csv, 2013daily002.csv or hourly002.csv",
        )
    return found


def read_ftp_zip(
    path: Path, *, mend: bool = False, standard: Standard = Standard.ENGLISH
) -> Iterator[tuple[int, pa.Table]]:
    """Yield station number and scaled metric table of each station file that holds data.

    ``standard`` are the units of the files, whose names do not tell.

    Raises
    ------
    UsageError
        When the file is no zip, is cut short, or a member is of another source.
    """
    for scope in Scope:
        for station, name in sorted(members(path, scope).items()):
            table = read_member(path, name, mend=mend, standard=standard)
            if table is not None:
                yield station, table


def read_member(
    path: Path, name: str, *, mend: bool = False, standard: Standard = Standard.ENGLISH
) -> pa.Table | None:
    """Return one station file's rows, scaled and metric, by time; None where the file is blank.

    ``mend`` corrects the rain of station 224, see :mod:`cimis.pipeline.archive.gauge`.
    """
    place = source_name(path, name)
    try:
        with _open(path) as archive:
            data = archive.read(name)
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise UsageError(f"{place} is damaged: {error}", hint="fetch the archive again") from None
    except (RuntimeError, NotImplementedError) as error:
        raise UsageError(
            f"{place} cannot be unpacked: {error}", hint="the network's archive is plain zip"
        ) from None
    if not data.strip():
        return None
    match = _NAME.fullmatch(Path(name).name)
    scope = Scope.DAILY if match is None else Scope(match[1])
    table = _parse(data, place, scope, standard, mend=mend)
    if match is not None and int(match[2]) != (found := table["station"][0].as_py()):
        raise UsageError(f"{place} holds rows of station {found}", hint="fetch the archive again")
    return table


def _parse(data: bytes, place: str, scope: Scope, standard: Standard, *, mend: bool) -> pa.Table:
    keys = KEY_COLUMNS[scope]
    width = keys + 2 * len(columns_of(scope, flag_first=True))
    try:
        columns = cells_of(data, width)
    except pa.ArrowInvalid as error:
        raise UsageError(
            f"{place} has not the {width} columns of the archive's {scope} files: {error}",
            hint="is this a file of the network's FTP archive?",
        ) from None
    station = _station(columns[0], place)
    date = dates_of(columns[1], place)
    flag_first = _is_flag_first(columns[keys:], place)
    found = []
    for number, code in enumerate(columns_of(scope, flag_first=flag_first)):
        pair = columns[keys + 2 * number], columns[keys + 2 * number + 1]
        flag_texts, value_texts = pair if flag_first else (pair[1], pair[0])
        item = by_code(code)
        assert item is not None
        numbers, missing, sentinel = numbers_of(value_texts, f"{place}, {item.column}")
        decimals = DECIMALS
        if mend and station == STATION and item.column == "precip":
            days = np.asarray(date).astype("datetime64[D]")
            numbers, _ = mend_rain(days, numbers, missing, standard)
            decimals += FINER
        flags = flags_of(flag_texts, sentinel)
        found.append(ArchiveColumn(item, numbers, missing, flags, decimals))
    stations = pa.array(np.full(len(date), station, dtype=np.uint16))
    when = (date,) if scope is Scope.DAILY else hours_of(date, columns[2], place)
    table = archive_table(scope, (stations, *when), found, standard)
    return table.sort_by(TIME_COLUMN[scope])


def _station(texts: pa.Array, place: str) -> int:
    found = pc.unique(pc.utf8_trim_whitespace(texts)).to_pylist()
    known = len(found) == 1 and re.fullmatch(r"[0-9]{1,5}", found[0])
    if not known or int(found[0]) > LARGEST_STATION:
        raise UsageError(
            f"{place}: the first column holds {found[:3]}, not one station number",
            hint="is this a file of the network's FTP archive?",
        )
    return int(found[0])


def _is_flag_first(columns: list[pa.Array], place: str) -> bool:
    """Tell the layout by which of each pair of columns holds numbers or ``--``.

    A file whose values are all missing shows neither; its flags then tell, and with those blank too
    both layouts say the same.
    """
    first, second = (any(_has_numbers(column) for column in columns[n::2]) for n in (0, 1))
    if first and second:
        raise UsageError(
            f"{place} has numbers in both columns of its pairs of value and flag",
            hint="is this a file of the network's FTP archive?",
        )
    if first or second:
        return second
    return any(_has_flags(column) for column in columns[0::2])


def _has_numbers(texts: pa.Array) -> bool:
    trimmed = pc.utf8_trim_whitespace(texts)
    return bool(pc.any(pc.match_substring_regex(trimmed, r"^(-?[0-9.]+|--)$")).as_py())


def _has_flags(texts: pa.Array) -> bool:
    return bool(pc.any(pc.not_equal(pc.utf8_trim_whitespace(texts), "")).as_py())
