"""What was found of an installation: lines with a mark, and what to do about each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from cimis.pipeline.errors import CheckFailed, CimisError
from cimis.pipeline.markup import Card, Sheet, counted

__all__ = ["Examination", "Finding", "Mark", "guarded", "problem_of"]


class Mark(StrEnum):
    """How a line is to be taken."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"
    SKIPPED = "skipped"
    """Not looked at; the line says why."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line.

    Parameters
    ----------
    topic : str
        ``key``, ``service``, ``clock``, ``store``, ``cache`` or ``versions``.
    name : str
        What of it, in one word; unique within the topic.
    mark : Mark
    says : str
        What was found.
    do : str, optional
        What to do about it.
    facts : mapping
        The same as JSON-ready values.
    """

    topic: str
    name: str
    mark: Mark
    says: str
    do: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return the line as JSON-ready values."""
        return {
            "topic": self.topic,
            "name": self.name,
            "mark": self.mark.value,
            "says": self.says,
            "do": self.do,
            "facts": dict(self.facts),
        }


@dataclass(frozen=True, slots=True)
class Examination:
    """All lines of an examination, by topic in the order in which things depend on each other."""

    findings: tuple[Finding, ...]

    def marked(self, mark: Mark) -> tuple[Finding, ...]:
        """Return the lines of one mark."""
        return tuple(one for one in self.findings if one.mark is mark)

    @property
    def sound(self) -> bool:
        """Whether there is no problem; warnings are none."""
        return not self.marked(Mark.PROBLEM)

    @property
    def exit_code(self) -> int:
        """What ``cimis doctor`` ends with: 0 without a problem, else that of a failed check."""
        return 0 if self.sound else CheckFailed.exit_code

    @property
    def summary(self) -> str:
        """In one line, how many lines of which mark."""
        problems, warnings = len(self.marked(Mark.PROBLEM)), len(self.marked(Mark.WARNING))
        if not problems and not warnings:
            return "nothing to mend"
        return f"{counted(problems, 'problem')}, {counted(warnings, 'warning')}"

    def as_dict(self) -> dict[str, Any]:
        """Return the examination as JSON-ready values."""
        return {
            "sound": self.sound,
            "exit_code": self.exit_code,
            "problems": len(self.marked(Mark.PROBLEM)),
            "warnings": len(self.marked(Mark.WARNING)),
            "findings": [one.as_dict() for one in self.findings],
        }

    def _card(self) -> Card:
        rows = [(one.mark.value, one.topic, one.says, one.do) for one in self.findings]
        sheet = Sheet("Looked at", ("", "what", "found", "to do"), rows)
        return Card("Examination", self.summary, {}, (sheet,))

    def __repr__(self) -> str:
        return self._card().line()

    def _repr_html_(self) -> str:
        return self._card().html()


def problem_of(topic: str, name: str, error: Exception) -> Finding:
    """Return the line of an error: what it says, and its hint as what to do."""
    if isinstance(error, CimisError):
        return Finding(topic, name, Mark.PROBLEM, str(error), error.hint, error.as_dict())
    said = getattr(error, "strerror", None) or str(error) or type(error).__name__
    place = getattr(error, "filename", None)
    says = f"{place}: {said}" if place else said
    return Finding(topic, name, Mark.PROBLEM, says, "check the path, its rights and the disk")


def guarded(topic: str, look: Callable[[], Iterable[Finding]]) -> tuple[Finding, ...]:
    """Return what a look finds; an error that ends it is a line itself."""
    found: list[Finding] = []
    try:
        found.extend(look())
    except (CimisError, OSError, RuntimeError) as error:
        found.append(problem_of(topic, topic, error))
    return tuple(found)
