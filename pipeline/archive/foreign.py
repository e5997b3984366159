"""What a file is that is no archive of the network, told by its first bytes, and what reads it."""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass
from pathlib import Path

from cimis.pipeline.archive.ftp import is_ftp_zip
from cimis.pipeline.archive.web import is_web_report

__all__ = ["Foreign", "foreign"]

_HEAD_BYTES = 4096
_AGAIN = "download it again"
_TABLE = "a table of your own is stored from Python: cimis.write_chunk(path, table)"
_SQL = "cimis sql --unsafe \"select * from 'FILE'\" reads it; " + _TABLE


@dataclass(frozen=True, slots=True)
class Foreign:
    """A file that cannot be imported: what it is, and what to do with it."""

    what: str
    hint: str


_PACKED = "unpack it with {}, and import what is in it"
_CHUNK = (
    "'cimis inspect FILE' shows a chunk; copied to its place in the data directory it is entered "
    "by 'cimis verify --repair'"
)
_STARTS: tuple[tuple[bytes, Foreign], ...] = (
    (b"\x1f\x8b", Foreign("a file compressed by gzip", _PACKED.format("gunzip"))),
    (b"BZh", Foreign("a file compressed by bzip2", _PACKED.format("bunzip2"))),
    (b"\xfd7zXZ", Foreign("a file compressed by xz", _PACKED.format("unxz"))),
    (b"P*M\x18", Foreign("a chunk file", _CHUNK)),
    (b"\x28\xb5\x2f\xfd", Foreign("a chunk file, or other zstd data", _CHUNK)),
    (b"PAR1", Foreign("a Parquet file", _SQL)),
    (b"ARROW1", Foreign("an Arrow file", _TABLE)),
    (b"SQLite format 3\x00", Foreign("an SQLite database", "'sqlite3 FILE' reads it")),
    (b"%PDF", Foreign("a PDF document", "zips and CSVs of the network are read")),
    (b"\xd0\xcf\x11\xe0", Foreign("an Excel workbook", "download the web report as CSV")),
)
_STATION_FILE = re.compile(r"\s*\d{1,5}\s*,\s*\d{1,2}/\d{1,2}/\d{4}\s*,")


def foreign(path: Path) -> Foreign | None:
    """Return what a file is instead of an archive of the network, None where it is one.

    A zip that is cut short counts as one, whose reader says what is wrong with it.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if head.startswith(b"PK"):
        return _zip(path)
    if is_web_report(path):
        return None
    for start, found in _STARTS:
        if head.startswith(start):
            return found
    if not head.strip():
        return Foreign("an empty file" if not head else "a blank file", _AGAIN)
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return Foreign("a text in UTF-16", "save it as plain CSV")
    if b"\x00" in head:
        return Foreign("a binary file of no known kind", "zips and CSVs of the network are read")
    return _text(head.removeprefix(b"\xef\xbb\xbf").decode("latin1").lstrip())


def _zip(path: Path) -> Foreign | None:
    if not zipfile.is_zipfile(path) or is_ftp_zip(path):
        return None
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    if "xl/workbook.xml" in names:
        return Foreign("an Excel workbook", "download the web report as CSV")
    some = ", ".join(names[:3]) + (", …" if len(names) > 3 else "") if names else "nothing"
    return Foreign(
        f"a zip that holds no station file of the network's FTP archive: it holds {some}",
        "members are named like daily002.csv, 2013daily002.csv or hourly002.csv",
    )


def _text(text: str) -> Foreign:
    low = text[:1024].lower()
    if "<html" in low or low.startswith("<!doctype html"):
        return Foreign("an HTML page, as servers send in the place of a file", _AGAIN)
    if text.startswith("<"):
        return Foreign("an XML document", "zips and CSVs of the network are read")
    if text.startswith(("{", "[")):
        return _json(text)
    line = text.partition("\n")[0].strip()
    if _STATION_FILE.match(line):
        return Foreign(
            "a station file out of an FTP zip",
            "import its zip, or make one: zip again.zip daily002.csv",
        )
    for separator, name in ((",", "commas"), ("\t", "tabs"), (";", "semicolons")):
        if separator in line:
            columns = [part.strip().strip('"')[:24] for part in line.split(separator)]
            some = ", ".join(columns[:4]) + (", …" if len(columns) > 4 else "")
            kind = "a CSV" if separator == "," else f"a table separated by {name}"
            return Foreign(
                f"{kind} of something else, which begins {some}",
                f"the network's web reports begin 'Stn Id,Stn Name'; {_TABLE}",
            )
    return Foreign("a text", "zips and CSVs of the network are read")


def _json(text: str) -> Foreign:
    if '"Providers"' in text or '"Records"' in text:
        return Foreign(
            "a saved answer of the Web API, in JSON",
            "'cimis emulator --replay FOLDER' serves saved answers to 'cimis fetch'",
        )
    return Foreign("a JSON document of something else", _TABLE)
