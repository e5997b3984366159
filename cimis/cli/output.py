"""The one place that prints: data to standard output, talk to standard error.

People at a terminal get rich tables; a pipe gets CSV; ``--json`` gets JSON.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from rich.console import Console

    from pipeline.lacks import Lacks
    from queries.timing import QueryTimings

__all__ = ["Output", "counted"]


def counted(count: int, thing: str) -> str:
    """Return a number with its noun: ``1 chunk``, ``1,098 records``."""
    return f"{count:,} {thing}" if count == 1 else f"{count:,} {thing}s"


@dataclass(frozen=True, slots=True)
class Output:
    """How a command answers.

    Parameters
    ----------
    as_json : bool
        Answer in JSON; nothing else goes to standard output.
    color : bool
        False for none; the variable ``NO_COLOR`` has the same effect.
    quiet : bool
        Say nothing on standard error but errors.
    verbose : bool
        Lines of a log go to standard error, so that nothing may be drawn there.
    """

    as_json: bool = False
    color: bool = True
    quiet: bool = False
    verbose: bool = False

    @property
    def to_people(self) -> bool:
        """Whether standard output is a terminal and JSON was not asked for."""
        return sys.stdout.isatty() and not self.as_json

    @property
    def animated(self) -> bool:
        """Whether progress bars may be drawn: a terminal on standard error, with no other use."""
        silent = self.quiet or self.as_json or self.verbose
        return sys.stderr.isatty() and not silent

    def console(self, stream: TextIO | None = None) -> Console:
        """Return a rich console on standard output, or on another stream."""
        from rich.console import Console

        return Console(file=stream or sys.stdout, no_color=not self.color or None, highlight=False)

    def rows(
        self,
        columns: Sequence[str],
        rows: Sequence[Sequence[Any]],
        *,
        headers: Mapping[str, str] | None = None,
        caption: str | None = None,
        form: str | None = None,
    ) -> None:
        """Print rows as a table, as CSV, or as a JSON list of objects; ``form`` names one."""
        if self.as_json and form is None:
            self.json([dict(zip(columns, row, strict=True)) for row in rows])
        elif form == "table" or (form is None and self.to_people):
            self._table([(headers or {}).get(name, name) for name in columns], rows, caption)
        else:
            self._csv(columns, rows)

    def facts(self, facts: Mapping[str, Any]) -> None:
        """Print named facts as two columns, as CSV, or as one JSON object."""
        if self.as_json:
            self.json(facts)
        else:
            self.rows(("name", "value"), list(facts.items()), headers={"name": "", "value": ""})

    def json(self, value: Any) -> None:
        """Print one value as JSON."""
        import json

        indent = 2 if sys.stdout.isatty() else None
        print(json.dumps(value, default=str, ensure_ascii=False, indent=indent))  # noqa: T201

    def line(self, text: str) -> None:
        """Print one line of data."""
        print(text)  # noqa: T201

    def note(self, text: str) -> None:
        """Say something that is not data."""
        if not self.quiet:
            print(text, file=sys.stderr)  # noqa: T201

    def warn(self, text: str) -> None:
        """Say something that the user should act on."""
        self.note(f"warning: {text}")

    def aside(self, name: str, facts: Any, text: str) -> None:
        """Say what is true of an answer but no part of it; with ``--json`` as an object a line."""
        if self.as_json:
            import json

            text = json.dumps({name: facts}, default=str, ensure_ascii=False)
        self.note(text)

    def lacks(self, lacks: Lacks) -> None:
        """Say what an answer is short of, if anything."""
        if lacks:
            self.aside("lacks", lacks.as_dict(), lacks.text())

    def timings(self, timings: QueryTimings) -> None:
        """Say where the time of a question went, on standard error; one line of JSON if asked."""
        if self.as_json:
            import json

            print(json.dumps({"perf": timings.as_dict()}), file=sys.stderr)  # noqa: T201
        else:
            print(timings.as_text(), file=sys.stderr)  # noqa: T201

    def _table(
        self, headers: Sequence[str], rows: Sequence[Sequence[Any]], caption: str | None
    ) -> None:
        from rich.table import Table

        table = Table(box=None, pad_edge=False, caption=caption, caption_justify="left")
        for place, header in enumerate(headers):
            number = any(_is_number(row[place]) for row in rows)
            table.add_column(header, justify="right" if number else "left", overflow="fold")
        for row in rows:
            table.add_row(*(_text(value) for value in row))
        self.console().print(table)

    def _csv(self, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        import csv

        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([_text(value) for value in row] for row in rows)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple | list):
        return " ".join(str(part) for part in value)
    return str(value)
