"""What one chunk holds (station or spatial target, year, scope) and the path that says so."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote

from cimis.pipeline.errors import StoreError
from cimis.pipeline.field.items import Scope
from cimis.pipeline.field.site import LARGEST_STATION, SiteKind

__all__ = ["ChunkKey"]

_FILE = re.compile(r"(\d{4})_(daily|hourly)\.zst")
_KINDS = ("zip", "coordinate", "address")


@dataclass(frozen=True, slots=True)
class ChunkKey:
    """One station (or spatial target), one year, one scope.

    Parameters
    ----------
    scope : Scope
    year : int
        Calendar year of the rows' ``date``; hour 24 belongs to the year of its date.
    station : int, optional
        Station number, 1..65535. Exactly one of station and target is given.
    target : str, optional
        Spatial target, ``kind:text`` with kind zip, coordinate or address.
    """

    scope: Scope
    year: int
    station: int | None = None
    target: str | None = None

    def __post_init__(self) -> None:
        if (self.station is None) == (self.target is None):
            raise StoreError("a chunk holds either a station or a spatial target")
        if self.station is not None and not 0 <= self.station <= LARGEST_STATION:
            raise StoreError(f"station {self.station} is not in 0..{LARGEST_STATION}")
        if not 1 <= self.year <= 9999:
            raise StoreError(f"year {self.year} is not in 1..9999")
        if self.target is not None and self.target.partition(":")[0] not in _KINDS:
            raise StoreError(f"spatial target '{self.target}' names no kind of {', '.join(_KINDS)}")

    @property
    def kind(self) -> SiteKind:
        """Whether it is a station's or a target's."""
        return SiteKind.TARGET if self.station is None else SiteKind.STATION

    @property
    def name(self) -> str:
        """What people call it: ``station 2, 2024 daily``."""
        who = self.target if self.station is None else f"station {self.station}"
        return f"{who}, {self.year} {self.scope}"

    def relative_path(self) -> Path:
        """Return the path below the data directory: ``stations/002/2024_daily.zst``."""
        file = f"{self.year:04d}_{self.scope}.zst"
        if self.station is not None:
            return Path("stations") / f"{self.station:03d}" / file
        kind, _, text = (self.target or "").partition(":")
        return Path("spatial") / kind / quote(text, safe="") / file

    def path(self, root: Path) -> Path:
        """Return the chunk's path in the data directory ``root``."""
        return root / self.relative_path()

    @classmethod
    def of_path(cls, path: Path) -> ChunkKey:
        """Return the key that a chunk's path names.

        Raises
        ------
        StoreError
            When the path has not the form of a chunk's path.
        """
        match = _FILE.fullmatch(path.name)
        parts = path.parts
        if match and len(parts) >= 3 and parts[-3] == "stations" and parts[-2].isdigit():
            return cls(Scope(match[2]), int(match[1]), station=int(parts[-2]))
        if match and len(parts) >= 4 and parts[-4] == "spatial":
            target = f"{parts[-3]}:{unquote(parts[-2])}"
            return cls(Scope(match[2]), int(match[1]), target=target)
        raise StoreError(f"{path} is not named as a chunk: stations/<number>/<year>_<scope>.zst")
