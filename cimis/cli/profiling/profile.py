"""A profile: phases with their share and speed, imports, memory, functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Phase", "Profile"]

_SHOWN_PACKAGES = 8


@dataclass(frozen=True, slots=True)
class Phase:
    """A part of the way that a command goes.

    Parameters
    ----------
    name : str
    seconds : float
    amount, unit : float and str, optional
        What it handled, as 12,000 rows.
    """

    name: str
    seconds: float
    amount: float | None = None
    unit: str | None = None

    @property
    def per_second(self) -> float | None:
        """Return how much was handled in a second."""
        return self.amount / self.seconds if self.amount and self.seconds > 0 else None

    def as_dict(self, whole_s: float) -> dict[str, Any]:
        """Return the phase as JSON-ready values, its share of the whole among them."""
        speed = self.per_second
        return {
            "name": self.name,
            "seconds": round(self.seconds, 6),
            "share": round(self.seconds / whole_s, 4) if whole_s > 0 else None,
            "amount": self.amount,
            "unit": self.unit,
            "per_second": None if speed is None else round(speed, 1),
        }


@dataclass(slots=True)
class Profile:
    """Where time and memory of one command went.

    Attributes
    ----------
    command : sequence of str
    exit_code : int
    seconds : float
        Wall time of the command, its imports included.
    start_s : float
        CPU time that Python and the command line took before it.
    phases : sequence of Phase
        What the command's own timings say, one after the other; what they do not is ``other``.
    requests : sequence of Phase
        Of a fetch, what its requests took, added up; several at once take longer than the clock.
    counters : mapping
        What was read, answered, sent.
    imports_s, modules, packages
        Time of imports, which is part of phases and of ``other``; how many modules; seconds by
        package, the longest first.
    start_bytes, peak_bytes : int, optional
        Resident memory before the command, and the highest of the process.
    functions : sequence of mapping, optional
        The heaviest, by time of their own.
    """

    command: Sequence[str]
    exit_code: int = 0
    seconds: float = 0.0
    start_s: float = 0.0
    phases: list[Phase] = field(default_factory=list)
    requests: list[Phase] = field(default_factory=list)
    counters: Mapping[str, Any] = field(default_factory=dict)
    imports_s: float = 0.0
    modules: int = 0
    packages: Mapping[str, float] = field(default_factory=dict)
    start_bytes: int | None = None
    peak_bytes: int | None = None
    functions: Sequence[Mapping[str, Any]] | None = None

    @property
    def other(self) -> Phase:
        """What no phase says: imports, reading options, opening the store."""
        return Phase("other", max(self.seconds - sum(one.seconds for one in self.phases), 0.0))

    def as_dict(self) -> dict[str, Any]:
        """Return the profile as JSON-ready values."""
        return {
            "command": list(self.command),
            "exit_code": self.exit_code,
            "seconds": round(self.seconds, 6),
            "start_cpu_seconds": round(self.start_s, 6),
            "phases": [one.as_dict(self.seconds) for one in (*self.phases, self.other)],
            "requests": [
                one.as_dict(sum(r.seconds for r in self.requests)) for one in self.requests
            ],
            "counters": dict(self.counters),
            "imports": {
                "seconds": round(self.imports_s, 6),
                "modules": self.modules,
                "packages": {name: round(took, 6) for name, took in self.packages.items()},
            },
            "memory": {"start_bytes": self.start_bytes, "peak_bytes": self.peak_bytes},
            "functions": None if self.functions is None else [dict(f) for f in self.functions],
        }

    def as_text(self) -> str:
        """Return the profile for people: tables of phases, requests, imports, functions."""
        parts = [
            _table(
                ("phase", "seconds", "share", "handled", "a second"),
                [
                    _cells(one, self.seconds)
                    for one in (*self.phases, self.other)
                    if one.seconds > 0
                ],
            ),
            f"{self.seconds:.3f} s in all, after {self.start_s:.3f} s of CPU to start Python",
        ]
        if self.requests:
            whole = sum(one.seconds for one in self.requests)
            heads = ("requests", "seconds", "share", "handled", "a second")
            rows = [_cells(one, whole) for one in self.requests if one.seconds > 0]
            parts.append(_table(heads, rows))
            parts.append("(added up over all requests; several run at once)")
        longest = list(self.packages.items())[:_SHOWN_PACKAGES]
        named = ", ".join(f"{name} {took:.3f}" for name, took in longest)
        parts.append(
            f"imports: {self.imports_s:.3f} s, {self.modules:,} modules, within the phases"
            + (f": {named}" if named else "")
        )
        if self.peak_bytes is not None:
            before = "" if self.start_bytes is None else f", {self.start_bytes / 1e6:,.1f} before"
            parts.append(f"memory: {self.peak_bytes / 1e6:,.1f} MB resident at most{before}")
        if self.functions is not None:
            functions = [
                (
                    f"{one['seconds']:.3f}",
                    f"{one['with_calls']:.3f}",
                    f"{one['calls']:,}",
                    one["name"],
                )
                for one in self.functions
            ]
            parts.append(
                _table(("seconds", "with calls", "calls", "function"), functions, last=True)
            )
        return "\n".join(parts)


def _cells(one: Phase, whole_s: float) -> tuple[str, ...]:
    share = f"{one.seconds / whole_s:.1%}" if whole_s > 0 else ""
    handled = f"{one.amount:,.0f} {one.unit}" if one.amount else ""
    speed = one.per_second
    return one.name, f"{one.seconds:.4f}", share, handled, "" if speed is None else f"{speed:,.0f}"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]], *, last: bool = False) -> str:
    """Return rows below their heads: names to the left, numbers to the right."""
    lines = [heads, *rows]
    widths = [max(len(line[place]) for line in lines) for place in range(len(heads))]
    left = len(heads) - 1 if last else 0
    return "\n".join(
        "  ".join(
            text.ljust(width) if place == left else text.rjust(width)
            for place, (text, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )
