"""A file of crops, TOML: stages by date or by length, a coefficient and its source for each.

    [crop.dry-beans]
    title = "Dry beans"
    source = "FAO-56 (1998), box 15 and example 28, Kimberly, Idaho"
    start = 1974-05-23                       # or "05-23": every year
    initial = { days = 25, kc = 0.15 }
    development = { days = 25 }
    mid = { days = 30, kc = 1.19 }
    late = { days = 20, kc = 0.35 }

    [crop.orchard]
    initial = { from = "03-01", to = "03-31", kc = 0.40, source = "..." }
    development = { from = "04-01", to = "05-31" }
    mid = { from = "06-01", to = "09-15", kc = 0.90, source = "..." }
    late = { from = "09-16", to = "10-31", kc = 0.65, source = "..." }

Kc of the late stage is that of its last day. Whatever is not of this form is refused by its line.
"""

from __future__ import annotations

import datetime as dt
import re
import tomllib
from dataclasses import dataclass
from typing import Any

import numpy as np

from cimis.agronomy.arrays import Doubles
from cimis.agronomy.crop import Coefficients, Dates, Lengths, Season
from cimis.agronomy.toml_lines import KeyPath, lines_of
from cimis.pipeline.errors import UsageError
from cimis.pipeline.field.time import years_of

__all__ = ["STAGES", "Crop", "parse_crops"]

STAGES = ("initial", "development", "mid", "late")
_WITH_KC = ("initial", "mid", "late")
_CROP_KEYS = ("title", "source", "start", *STAGES)
_STAGE_KEYS = ("days", "from", "to", "kc", "source")
_LARGEST_KC = 2.0
_YEAR = 365
_ANY_YEAR = 2001
"""Year in which dates of every year are compared; it has no 29 February, as they have none."""
_DAY = dt.timedelta(days=1)
_MONTH_DAY = re.compile(r"(\d{2})-(\d{2})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Crop:
    """A crop of the file.

    Parameters
    ----------
    name : str
        Its key in the file.
    title : str
        What to call it; the name where the file has no title.
    sources : dict
        Where each coefficient comes from: initial, mid, late.
    season : Season
        Its season; of a crop of every year, one of them.
    yearly : bool
        Whether it has a season every year.
    by_days : bool
        Whether its stages are so many days from a start, rather than between dates.
    """

    name: str
    title: str
    sources: dict[str, str]
    season: Season
    yearly: bool
    by_days: bool

    def season_of(self, year: int) -> Season:
        """Return the season of a crop of every year that starts in a year."""
        first, *others = self.season.starts
        start = first.replace(year=year)
        if self.by_days:
            return Season.of_lengths(start, self.season.lengths, self.season.kc)
        later = year - first.year
        second, third, last = (day.replace(year=day.year + later) for day in others)
        end = self.season.end.replace(year=self.season.end.year + later)
        if (end.month, end.day) == (2, 28):  # the last of February, in leap years too
            end = end.replace(month=3, day=1) - _DAY
        return Season((start, second, third, last), end, self.season.kc)

    def season_on(self, day: dt.date) -> Season | None:
        """Return the season that is on at a day, the one that began last; None where none is."""
        years = (day.year, day.year - 1) if self.yearly else ()
        seasons = [self.season_of(year) for year in years] or [self.season]
        return next((one for one in seasons if one.starts[0] <= day <= one.end), None)

    def kc_on(self, dates: Dates) -> Doubles:
        """Return the crop coefficient on days.

        Parameters
        ----------
        dates : ndarray of datetime64, any shape
            Days.

        Returns
        -------
        ndarray, float64
            Kc, of the shape of ``dates``; NaN where no season is on.
        """
        if not self.yearly or dates.size == 0:
            return self.season.kc_on(dates)
        first, last = years_of(np.array([dates.min(), dates.max()])).tolist()
        kc = np.full(dates.shape, np.nan)
        for year in range(first - 1, last + 1):
            of_year = self.season_of(year).kc_on(dates)
            kc = np.where(np.isnan(of_year), kc, of_year)
        return kc


def parse_crops(text: str, *, name: str = "crops file") -> dict[str, Crop]:
    """Read the text of a crops file, strictly.

    Parameters
    ----------
    text : str
        TOML, as at the top of this module.
    name : str
        What to call the file in messages.

    Returns
    -------
    dict
        Crops by name, in the order of the file.

    Raises
    ------
    UsageError
        For what is no TOML, an unknown or a missing key, a coefficient without a source or outside
        0 to 2, stages that overlap, leave days out, or run backwards; the message has the line.
    """
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{name} is not TOML: {error}") from None
    reader = _Reader(name, lines_of(text))
    reader.keys((), content, ("crop",))
    crops = reader.table((), content, "crop")
    if not crops:
        raise reader.error(("crop",), "there is no crop", hint="begin one with [crop.NAME]")
    return {crop: reader.crop(crop, reader.table(("crop",), crops, crop)) for crop in crops}


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads parts of one file, and refuses by line what it cannot mean."""

    name: str
    lines: dict[KeyPath, int]

    def error(self, path: KeyPath, message: str, hint: str | None = None) -> UsageError:
        return UsageError(f"{self.name}, line {self.lines[path]}: {message}", hint=hint)

    def keys(self, path: KeyPath, table: dict[str, Any], known: tuple[str, ...]) -> None:
        for key in table:
            if key not in known:
                raise self.error(
                    (*path, key), f"unknown key {key!r}", hint=f"known here: {', '.join(known)}"
                )

    def table(self, path: KeyPath, holder: dict[str, Any], key: str) -> dict[str, Any]:
        found = holder.get(key)
        if not isinstance(found, dict):
            what = " ".join((*path, key))
            raise self.error(
                (*path, key), f"{what} is {'no table' if key in holder else 'missing'}"
            )
        return found

    def crop(self, name: str, table: dict[str, Any]) -> Crop:
        path = ("crop", name)
        self.keys(path, table, _CROP_KEYS)
        stages = {stage: self.table(path, table, stage) for stage in STAGES}
        for stage, content in stages.items():
            self.keys((*path, stage), content, _STAGE_KEYS)
        if "kc" in stages["development"]:
            raise self.error(
                (*path, "development", "kc"),
                "development has no kc of its own: it runs from initial to mid",
            )
        kc = Coefficients(*(self.kc((*path, s), stages[s]) for s in _WITH_KC))
        sources = {s: self.source((*path, s), stages[s], table) for s in _WITH_KC}
        by_days = "start" in table
        read = self.by_days if by_days else self.by_dates
        season, yearly = read(path, table, stages, kc)
        title = self.text((*path, "title"), table.get("title", name))
        return Crop(name, title, sources, season, yearly, by_days)

    def text(self, path: KeyPath, value: object) -> str:
        if not isinstance(value, str) or not value.strip():
            raise self.error(path, f"{path[-1]} is a text")
        return value

    def source(self, path: KeyPath, stage: dict[str, Any], crop: dict[str, Any]) -> str:
        for holder, at in ((stage, path), (crop, path[:-1])):
            if "source" in holder:
                return self.text((*at, "source"), holder["source"])
        raise self.error(path, f"the kc of {path[-1]} has no source", hint='give source = "..."')

    def kc(self, path: KeyPath, stage: dict[str, Any]) -> float:
        value: Any = stage.get("kc")
        if type(value) in (int, float) and 0 <= float(value) <= _LARGEST_KC:
            return float(value)
        found = "missing" if value is None else f"{value!r}"
        raise self.error((*path, "kc"), f"kc of {path[-1]} is {found}; a number from 0 to 2 is due")

    def by_days(
        self, path: KeyPath, table: dict[str, Any], stages: dict[str, Any], kc: Coefficients
    ) -> tuple[Season, bool]:
        """Read stages of so many days from a start."""
        start, yearly = self.day((*path, "start"), table["start"])
        for stage, content in stages.items():
            here = (*path, stage)
            for key in ("from", "to"):
                if key in content:
                    raise self.error((*here, key), f"{key}: stages from a start have days only")
            days = content.get("days")
            if not isinstance(days, int) or isinstance(days, bool) or days < 1:
                raise self.error((*here, "days"), f"days of {stage}: a whole number from 1 is due")
            if sum(stages[s].get("days", 0) for s in STAGES[: STAGES.index(stage) + 1]) > _YEAR:
                raise self.error((*here, "days"), "the season is longer than a year")
        lengths = Lengths(*(stages[stage]["days"] for stage in STAGES))
        return Season.of_lengths(start, lengths, kc), yearly

    def by_dates(
        self, path: KeyPath, _table: dict[str, Any], stages: dict[str, Any], kc: Coefficients
    ) -> tuple[Season, bool]:
        """Read stages between dates, each of which begins the day after the one before ends."""
        marks: list[tuple[KeyPath, dt.date, bool]] = []
        for stage, content in stages.items():
            if "days" in content:
                raise self.error((*path, stage, "days"), "days need a start of the crop")
            for key in ("from", "to"):
                here = (*path, stage, key)
                if key not in content:
                    raise self.error(here, f"{stage} lacks {key}, and the crop a start")
                marks.append((here, *self.day(here, content[key])))
        yearly = marks[0][2]
        days = [marks[0][1]]
        for here, day, every_year in marks[1:]:
            if every_year != yearly:
                raise self.error(here, "dates of one year and of every year are mixed")
            days.append(self.following(here, days, day, yearly))
        start, _, second, _, third, _, last, end = days
        return Season((start, second, third, last), end, kc), yearly

    def following(
        self, path: KeyPath, before: list[dt.date], day: dt.date, yearly: bool
    ) -> dt.date:
        """Return a mark of a season after those before it, in the next year where it must be."""
        stage, key = path[-2:]
        due = before[-1] + (_DAY if key == "from" else dt.timedelta())
        ahead = (day - due).days
        if yearly:
            ahead %= _YEAR
            if key == "from" and ahead > _YEAR // 2:
                ahead -= _YEAR
        if key == "from" and ahead:
            shown = "overlaps the stage before it" if ahead < 0 else "leaves days out before it"
            raise self.error(path, f"{stage} {shown}: it is due to begin on {due:%m-%d}")
        if ahead < 0 or (due + ahead * _DAY - before[0]).days >= _YEAR + (not yearly):
            raise self.error(path, f"the dates of {stage} are out of order")
        return due + ahead * _DAY

    def day(self, path: KeyPath, value: object) -> tuple[dt.date, bool]:
        """Return a date, and whether it is one of every year."""
        if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
            return value, False
        match = _MONTH_DAY.fullmatch(value) if isinstance(value, str) else None
        try:
            if match:
                return dt.date(_ANY_YEAR, int(match[1]), int(match[2])), True
        except ValueError:
            pass
        raise self.error(
            path, f"{path[-1]} is {value!r}", hint='write a date as 2026-03-01, or "03-01"'
        )
