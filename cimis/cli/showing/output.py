"""The one place that prints: data to standard output, talk to standard error.

People at a terminal get rich tables; a pipe gets CSV; ``--json`` gets JSON.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TextIO

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from cimis.cli.showing.layout import Column
    from cimis.pipeline.lacks import Lacks
    from cimis.queries.timing import QueryTimings

__all__ = ["Output", "counted"]


def counted(count: int, thing: str) -> str:
    """Return a number with its noun: ``1 chunk``, ``1,098 records``."""
    return f"{count:,} {thing}" if count == 1 else f"{count:,} {thing}s"


class Output(NamedTuple):
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
    warnings_to : callable, optional
        Hears warnings instead of standard error.
    names : pathlib.Path, optional
        Stations' names are given beside their numbers, from the list of this data directory.
    """

    as_json: bool = False
    color: bool = True
    quiet: bool = False
    verbose: bool = False
    warnings_to: Callable[[str], None] | None = None
    names: Path | None = None

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
        form: str | None = None,
        spare: Sequence[str] = (),
    ) -> None:
        """Print rows as a table, as CSV, or as a JSON list of objects; ``form`` names one.

        Of a table that is too wide the columns ``spare`` are left out first, in their order.
        """
        if self.names is not None:
            from cimis.cli.showing.labels import named_rows

            columns, rows = named_rows(self.names, columns, rows)
        if self.as_json and form is None:
            self.json([dict(zip(columns, row, strict=True)) for row in rows])
        elif form == "table" or (form is None and self.to_people):
            self._table([(headers or {}).get(name, name) for name in columns], rows, spare)
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

        if self.names is not None:
            from cimis.cli.showing.labels import named_records

            value = named_records(self.names, value)
        indent = 2 if sys.stdout.isatty() else None
        text = json.dumps(value, default=str, ensure_ascii=False, indent=indent)
        # a server says its address and goes on: whoever reads it from a pipe is not to wait
        print(text, flush=True)  # noqa: T201

    def line(self, text: str) -> None:
        """Print one line of data."""
        print(text)  # noqa: T201

    def note(self, text: str) -> None:
        """Say something that is not data."""
        if not self.quiet:
            print(text, file=sys.stderr)  # noqa: T201

    def warn(self, text: str) -> None:
        """Say something that the user should act on."""
        if self.warnings_to is not None:
            self.warnings_to(text)
        else:
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

    @property
    def width(self) -> int:
        """Characters of a line of standard output."""
        return self.console().width

    @property
    def talk_width(self) -> int | None:
        """Characters of a line of standard error where that is a terminal, else None."""
        return self.console(sys.stderr).width if sys.stderr.isatty() else None

    def table(self, columns: Sequence[Column]) -> None:
        """Print columns that fit the width beside each other."""
        from rich.table import Table
        from rich.text import Text

        from cimis.cli.showing.layout import GAP

        table = Table(
            box=None,
            pad_edge=False,
            padding=(0, GAP, 0, 0),
            header_style="bold",
            show_header=any(column.name for column in columns),
        )
        units = any(column.unit for column in columns)
        for column in columns:
            header = Text(column.name)
            if units:
                header.append(f"\n{column.unit}", style="dim")
            side: Literal["left", "right"] = "right" if column.number else "left"
            table.add_column(header, justify=side, no_wrap=True)
        for row in zip(*(column.texts for column in columns), strict=True):
            table.add_row(*(Text(text) for text in row))
        console = self.console()
        needed = sum(column.width + GAP for column in columns)
        console.width = max(console.width, needed)  # a number is shown whole, whatever its width
        console.print(table)

    def _table(
        self,
        headers: Sequence[str],
        rows: Sequence[Sequence[Any]],
        spare: Sequence[str],
    ) -> None:
        from cimis.cli.showing.layout import Column, fit, one_line

        columns = [
            Column(
                header,
                number=_are_numbers([row[place] for row in rows]),
                texts=[one_line(_text(row[place])) for row in rows],
            )
            for place, header in enumerate(headers)
        ]
        fitted = fit(columns, self.width, spare=spare)
        self.table(fitted.columns)
        if (note := fitted.note("a pipe (| cat) and --json have all")) is not None:
            self.note(note)

    def _csv(self, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        import csv

        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([_text(value) for value in row] for row in rows)


def _are_numbers(values: Sequence[Any]) -> bool:
    """Tell whether all values that are there are numbers."""
    there = [value for value in values if value not in (None, "")]
    return bool(there) and all(
        isinstance(value, int | float) and not isinstance(value, bool) for value in there
    )


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple | list):
        return " ".join(str(part) for part in value)
    return str(value)
