"""How an answer is wanted: the options of every command that gives rows, and what they mean."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import click

from cimis.cli.options import option
from cimis.cli.showing.output import Output
from cimis.pipeline.errors import UsageError
from cimis.queries.export.formats import FORMATS

__all__ = ["Form", "answering", "format_of_answer", "listing"]

Function = Callable[..., Any]


class Form(NamedTuple):
    """How an answer is wanted.

    Parameters
    ----------
    format : str, optional
        ``table`` or one of `cimis.queries.export.formats.FORMATS`; by default from the file's
        suffix, or a table on a terminal and CSV in a pipe.
    output : str, optional
        A file; ``-`` and None are standard output.
    limit : int, optional
        The most rows to give.
    allow_empty : bool
        Whether an answer without rows is a success.
    header : {"names", "units"}
        What the head of a text format says; see :func:`cimis.queries.export.sinks.write`.
    most_shown : int, optional
        The most rows that a table shows.
    """

    format: str | None = None
    output: str | None = None
    limit: int | None = None
    allow_empty: bool = False
    header: str = "names"
    most_shown: int | None = None

    @property
    def shown(self) -> int:
        """How many rows a table shows."""
        from cimis.cli.showing.grid import ROWS

        wanted = self.most_shown if self.limit is None else self.limit
        return ROWS if wanted is None else wanted

    @property
    def to_file(self) -> bool:
        """Whether the answer goes to a file."""
        return self.output not in (None, "-")


def answering(function: Function) -> Function:
    """Add the options that say how an answer is wanted, and pass them as ``form``."""
    return _answering(function, header=True, empty=True, more=())


def listing(*, empty: bool = False, more: tuple[str, ...] = ()) -> Callable[[Function], Function]:
    """Add the options of an answer that is a list of things, and pass them as ``form``.

    Parameters
    ----------
    empty : bool
        Whether it may have no rows.
    more : tuple of str
        Formats of the command's own.
    """
    return partial(_answering, header=False, empty=empty, more=more)


def _answering(function: Function, *, header: bool, empty: bool, more: tuple[str, ...]) -> Function:
    @functools.wraps(function)
    def run(**named: Any) -> Any:
        given = {name: named.pop(name) for name in Form._fields if name in asked}
        return function(form=Form(**given), **named)

    asked = {"format", "output", "limit"}
    wrapped: Function = run
    if empty:
        asked.add("allow_empty")
        told = "Exit 0, not 3, where nothing matches."
        wrapped = option("--allow-empty", is_flag=True, help=told)(wrapped)
    if header:
        asked.add("header")
        wrapped = option(
            "--header",
            type=click.Choice(["names", "units"]),
            default="names",
            show_default=True,
            help="With units CSV and TSV say 'air_tmp_avg [°C]', JSON is {units, rows}, NDJSON "
            "begins with a line of units; all other forms always say them.",
        )(wrapped)
    wrapped = option(
        "--limit", type=click.IntRange(min=0), metavar="N", help="Give at most N rows."
    )(wrapped)
    wrapped = option(
        "-o", "--output", metavar="FILE", help="Save to a file; its suffix picks the format."
    )(wrapped)
    return option(
        "--format",
        type=click.Choice(("table", *FORMATS, *more)),
        help="Form of what is written; else by the file's suffix, "
        "a table on a terminal, CSV in a pipe.",
    )(wrapped)


def format_of_answer(form: Form, out: Output) -> str:
    """Return the format that an answer is wanted in.

    Raises
    ------
    UsageError
        For a table in a file, or a suffix that names no format.
    """
    if form.format == "table" and form.to_file:
        raise UsageError("a file cannot hold a table", hint="choose csv, parquet or another format")
    if form.format is not None:
        return form.format
    if form.to_file:
        from cimis.queries.export.sinks import format_of

        return format_of(str(form.output))
    if out.as_json:
        return "json"
    return "table" if sys.stdout.isatty() else "csv"
