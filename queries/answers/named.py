"""The library of named questions: one SQL file each, with its description and parameters.

A file starts with comment lines: the description, then ``$name = default: meaning`` per parameter.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cimis.pipeline.errors import UsageError
from cimis.pipeline.field.items import Item, Scope, scope_items

__all__ = ["NamedQuery", "Parameter", "named_queries", "named_query"]

_FOLDER = Path(__file__).parent / "library"
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
        """Return the SQL, of some stations only where they are given."""
        if stations is None:
            return self.sql
        body, _, order = self.sql.rpartition("\nORDER BY ")
        listed = ", ".join(map(str, sorted({*stations})))
        return f"SELECT * FROM (\n{body}\n) WHERE station IN ({listed})\nORDER BY {order}"

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


def named_queries() -> dict[str, NamedQuery]:
    """Return the whole library by name, in alphabetical order."""
    return {path.stem: _read(path) for path in sorted(_FOLDER.glob("*.sql"))}


def named_query(name: str) -> NamedQuery:
    """Return one question of the library.

    Raises
    ------
    UsageError
        For an unknown name; the hint lists those there are.
    """
    path = _FOLDER / f"{name}.sql"
    if not re.fullmatch(r"[a-z][a-z-]*", str(name)) or not path.is_file():
        raise UsageError(f"no query named '{name}'", hint=f"there are {', '.join(named_queries())}")
    return _read(path)


def _read(path: Path) -> NamedQuery:
    text = path.read_text("utf-8")
    head, *lines = text.splitlines()
    found = [match for line in lines if (match := _PARAMETER.match(line))]
    parameters = tuple(Parameter(m[1], m[2].strip(), m[3]) for m in found)
    return NamedQuery(path.stem, head.removeprefix("-- "), parameters, text)
