"""The library of named questions: one SQL file each, with its description and parameters.

A file starts with comment lines: the description, then ``$name = default: meaning`` per parameter.
What is in a unit says so with ``{mm}`` or ``{°C}`` (in names ``{c}``), which become ``in``, ``°F``
and ``f`` for a question in English units; a default with such a unit is converted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cimis.pipeline.errors import UsageError
from cimis.pipeline.field.items import Item, Scope, Standard, scope_items
from cimis.pipeline.field.units import DEPTH, TEMPERATURE

__all__ = ["NamedQuery", "Parameter", "named_queries", "named_query"]

_FOLDER = Path(__file__).parent / "library"
_UNITS = {"mm": DEPTH, "°C": TEMPERATURE, "c": TEMPERATURE}
_UNIT = re.compile(r"\{(mm|°C|c)\}")
_DEFAULT = re.compile(r"^(-- \$\w+ = )(\S+) \{(mm|°C)\}:", re.MULTILINE)
_CONVERTED = 6
"""Decimals of a converted default: those of the views' most finely converted values."""

_PARAMETER = re.compile(r"^-- \$(\w+) = ([^:]*): (.+)$")


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a named question: its name in the SQL, default text and meaning."""

    name: str
    default: str
    meaning: str


@dataclass(frozen=True, slots=True)
class NamedQuery:
    """A question of the library, ready to be asked with :meth:`values`."""

    name: str
    description: str
    parameters: tuple[Parameter, ...]
    sql: str

    @property
    def hourly(self) -> bool:
        """Whether it is a question about hourly records."""
        return re.search(r"\bFROM hourly\b", self.sql) is not None

    def items(self, scope: Scope) -> list[Item]:
        """Return the items that its SQL names."""
        words = set(re.findall(r"\w+", re.sub(r"--.*", "", self.sql)))
        return [item for item in scope_items(scope) if item.column in words]

    def text(self, stations: Sequence[int] | None = None) -> str:
        """Return the SQL with stations' names, of some stations only where they are given."""
        body, _, order = self.sql.rpartition("\nORDER BY ")
        listed = ", ".join(map(str, sorted({*(stations or ())})))
        where = "" if stations is None else f"WHERE station IN ({listed})\n"
        return (
            f"SELECT station, stations.name, found.* EXCLUDE (station) FROM (\n{body}\n) found\n"
            f"LEFT JOIN stations USING (station)\n{where}ORDER BY {order}"
        )

    def values(self, given: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return a value for each parameter: the given one or its default.

        Raises
        ------
        UsageError
            For a given name that is no parameter of this question.
        """
        known = {p.name: p.default for p in self.parameters}
        for name in given or {}:
            if name not in known:
                listed = ", ".join(known) or "none"
                raise UsageError(
                    f"query '{self.name}' has no parameter '{name}'", hint=f"parameters: {listed}"
                )
        return known | dict(given or {})


def named_queries(units: Standard = Standard.METRIC) -> dict[str, NamedQuery]:
    """Return the whole library by name, in alphabetical order, in a system of units."""
    return {path.stem: _read(path, units) for path in sorted(_FOLDER.glob("*.sql"))}


def named_query(name: str, units: Standard = Standard.METRIC) -> NamedQuery:
    """Return one question of the library, in a system of units.

    Raises
    ------
    UsageError
        For an unknown name; the hint lists those there are.
    """
    path = _FOLDER / f"{name}.sql"
    if not re.fullmatch(r"[a-z][a-z-]*", str(name)) or not path.is_file():
        raise UsageError(f"no query named '{name}'", hint=f"there are {', '.join(named_queries())}")
    return _read(path, units)


def _read(path: Path, units: Standard) -> NamedQuery:
    text = _in_units(path.read_text("utf-8"), units)
    head, *lines = text.splitlines()
    found = [match for line in lines if (match := _PARAMETER.match(line))]
    parameters = tuple(Parameter(m[1], m[2].strip(), m[3]) for m in found)
    return NamedQuery(path.stem, head.removeprefix("-- "), parameters, text)


def _in_units(text: str, units: Standard) -> str:
    """Return a question's text with its units, and the defaults that are in one, in a system."""

    def unit(found: re.Match[str]) -> str:
        if units is Standard.METRIC:
            return found[1]
        symbol = _UNITS[found[1]].english.symbol
        return symbol if found[1] in ("mm", "°C") else symbol.strip("°").lower()

    def default(found: re.Match[str]) -> str:
        ratio = _UNITS[found[3]].ratio
        if units is Standard.METRIC or ratio is None:
            return f"{found[1]}{found[2]}:"
        return f"{found[1]}{round(ratio.english(float(found[2])), _CONVERTED):.10g}:"

    return _UNIT.sub(unit, _DEFAULT.sub(default, text))
