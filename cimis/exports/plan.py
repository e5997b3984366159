"""What an export is to write: the years of each table whose chunks are others than last time."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from cimis.pipeline.catalog.rows import ChunkRow
from cimis.pipeline.errors import UsageError
from cimis.pipeline.field.items import Scope
from cimis.pipeline.field.site import SiteKind
from cimis.pipeline.storage.checksum import checksum_of
from cimis.queries.mirror.layout import TABLES, kind_of_table, table_of

__all__ = ["STATE_FILE", "Due", "State", "Year", "parted"]

STATE_FILE = "cimis-export.json"
_VERSION = 1


class Year(NamedTuple):
    """One year of one table: what an export writes or leaves as a whole."""

    table: str
    year: int

    @property
    def name(self) -> str:
        """How the state file calls it."""
        return f"{self.table}/year={self.year}"


def parted(chunks: Iterable[ChunkRow]) -> dict[Year, list[ChunkRow]]:
    """Return chunks by table and year, each by station or target."""
    found: dict[Year, list[ChunkRow]] = {}
    for row in chunks:
        found.setdefault(Year(table_of(row.scope, row.kind), row.year), []).append(row)
    tables = [name for scope in Scope for name in TABLES[scope]]
    order = sorted(tables, key=lambda name: kind_of_table(name) is SiteKind.TARGET)
    return dict(sorted(found.items(), key=lambda pair: (order.index(pair[0].table), pair[0].year)))


class Due(NamedTuple):
    """What is to be written, what stands already, and what is there but no longer stored."""

    changed: list[Year]
    kept: list[Year]
    gone: list[Year]


@dataclass(frozen=True, slots=True)
class State:
    """What an export holds: its form, what was asked, and per year what its chunks were.

    Kept beside the data in `STATE_FILE`; ``digests`` has by name of a year what identifies the
    bytes of its chunks.
    """

    form: str
    asked: str
    digests: Mapping[str, str]

    @classmethod
    def read(cls, folder: Path, form: str, asked: str) -> State:
        """Return what a folder holds; of a new or empty one nothing.

        Raises
        ------
        UsageError
            Where the folder holds something else, or an export in another form or of other rows.
        """
        path = folder / STATE_FILE
        elsewhere = "choose an empty or a new folder"
        if not path.exists():
            if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
                raise UsageError(f"'{folder}' is there, and no export of cimis", hint=elsewhere)
            return cls(form, asked, {})
        try:
            said = json.loads(path.read_text("utf-8"))
            found = cls(said["form"], said["asked"], dict(said["years"]))
            version = said["version"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UsageError(f"'{path}' cannot be read: {error}", hint=elsewhere) from error
        if version != _VERSION:
            raise UsageError(
                f"'{path}' is of version {version}; {_VERSION} is known",
                hint="update cimis, or export into a new folder",
            )
        if (found.form, found.asked) != (form, asked):
            raise UsageError(
                f"'{folder}' holds an export as {found.form} of {found.asked}, not as {form} of "
                f"{asked}",
                hint=elsewhere,
            )
        return found

    def due(self, years: Mapping[Year, Sequence[ChunkRow]]) -> Due:
        """Return what is to be written so that it holds these chunks."""
        wanted = {year.name: digest_of(rows) for year, rows in years.items()}
        changed = [year for year in years if self.digests.get(year.name) != wanted[year.name]]
        kept = [year for year in years if year not in changed]
        gone = []
        for name in self.digests:
            if name not in wanted:
                table, _, year = name.partition("/year=")
                gone.append(Year(table, int(year)))
        return Due(changed, kept, gone)

    def to_json(self) -> bytes:
        """Return the state file's bytes."""
        facts = {
            "version": _VERSION,
            "form": self.form,
            "asked": self.asked,
            "years": dict(sorted(self.digests.items())),
        }
        return (json.dumps(facts, indent=1, ensure_ascii=False) + "\n").encode()


def digest_of(rows: Sequence[ChunkRow]) -> str:
    """Return what identifies the bytes of some chunks."""
    text = "\n".join(f"{row.path} {row.checksum}" for row in rows)
    return checksum_of(text.encode())
