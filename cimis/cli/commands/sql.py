"""``cimis sql``: a question in SQL over all that is stored."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cimis.cli.options import (
    data_dir,
    declare,
    option,
    printing,
    qc_option,
    read_cache,
    stations_option,
    units_option,
)
from cimis.cli.showing.answers import Form, answering, format_of_answer
from cimis.cli.showing.lists import show_list
from cimis.cli.showing.output import Output
from cimis.parsing import parse_stations
from cimis.pipeline.errors import UsageError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from cimis.queries.engines.answer import Answer
    from cimis.queries.engines.seat import Parameters

__all__ = ["command"]

_SOURCES = (
    *("mirror_chunks", "mirror_rows", "chunks_refreshed"),
    *("chunks_considered", "chunks_skipped", "chunks_read"),
)
"""Counters that --explain tells."""

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


def _questions(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return what a shell offers for the question."""
    from cimis.cli.completing import questions

    return questions(ctx, param, incomplete)


@declare(
    "sql",
    examples=[
        "cimis sql 'select station, sum(asce_eto) from daily group by station'",
        "cimis sql --list",
        "cimis sql frost-nights --stations 2,80 --param threshold=-2",
        "cimis sql 'select * from daily where station = $s' --param s=80 --explain",
        "cimis sql --file question.sql -o answer.parquet",
        "cimis sql 'select date, asce_eto from daily limit 5' --units english --header units",
        "echo 'select count(*) from daily' | cimis sql",
    ],
)
@click.argument("text", required=False, shell_complete=_questions)
@option("--file", "file", metavar="FILE", help="Read the question from a file.")
@option("--list", "listing", is_flag=True, help="List the named questions, and ask none.")
@option(
    "--param", "params", metavar="NAME=VALUE", multiple=True, help="A value for $NAME; repeatable."
)
@stations_option(names=True)
@qc_option("keep", "become missing: none, severely flagged ones, all flagged ones.")
@units_option
@option("--explain", is_flag=True, help="Show how it would be answered and what is pushed down.")
@option("--unsafe", is_flag=True, help="Lift the sandbox: files, network, writing statements.")
@option("--perf", is_flag=True, help="Say on standard error where the time went.")
@read_cache
@answering
@data_dir
@printing(talks=True)
def command(
    *,
    text: str | None,
    file: str | None,
    listing: bool,
    params: Sequence[str],
    stations: str | None,
    qc: str,
    units: str,
    explain: bool,
    unsafe: bool,
    perf: bool,
    cache: str | None,
    form: Form,
    data_dir: str | None,
    out: Output,
) -> None:
    """Answer questions in SQL (DuckDB's) over daily, hourly, spatial_daily, stations and chunks.

    A question is the argument (SQL, or the name of one of the library), or comes from --file or
    standard input; there may be several. On a terminal without any, a prompt takes one after the
    other; its .help lists what else it knows, and a script may use that too. Questions can read
    nothing but the views: no file, no network, no setting, unless --unsafe is given. --units
    english makes the views English, thresholds and sums with them. --stations narrows a named
    question.
    """
    from cimis.cli.prompt.conversation import Conversation
    from cimis.cli.session import opened

    if listing:
        _list(form, out, units)
        return
    values = _assigned(params)
    at_prompt = text is None and file is None and sys.stdin.isatty()
    question = "" if at_prompt else _question(text, file)
    with opened(data_dir, cache, told=out.note) as store:
        talk = Conversation(
            store,
            form,
            out,
            qc=qc,
            units=units,
            unsafe=unsafe,
            perf=perf,
            values=values,
            stations=parse_stations(stations),
        )
        if at_prompt:
            from cimis.cli.prompt.terminal import converse

            converse(talk)
        elif explain:
            asked, parameters = _ready(question.strip(), values, stations, units)
            _explain(store.sql(f"EXPLAIN {asked}", parameters, qc=qc, units=units), out)
        elif text not in (None, "-"):
            talk.take(question, commands=False)
        else:
            talk.take(question, source=None if file in (None, "-") else file)


def _ready(
    question: str, values: dict[str, object], stations: str | None, units: str
) -> tuple[str, Parameters | None]:
    """Return the SQL and its parameters of a question that is SQL or a name of the library."""
    if not _NAME.fullmatch(question):
        return question, values or None
    from cimis.queries.answers.named import named_query
    from cimis.queries.conversion import standard

    query = named_query(question, standard(units))
    texts = {name: str(value) for name, value in values.items()}
    return query.text(parse_stations(stations)), query.values(texts)


def _list(form: Form, out: Output, units: str) -> None:
    from cimis.queries.answers.named import named_queries
    from cimis.queries.conversion import standard

    chosen = format_of_answer(form, out)
    table, many = chosen == "table", chosen == "json"
    rows = []
    for query in named_queries(standard(units)).values():
        given = [
            f"{p.name}={p.default}" + ("" if table else f": {p.meaning}") for p in query.parameters
        ]
        rows.append((query.name, query.description, given if many else "; ".join(given)))
    show_list(("name", "description", "parameters"), rows, form=form, out=out)


def _explain(answer: Answer, out: Output) -> None:
    """Print the plan, and what it reads: the mirror, brought up to date just now, or chunks."""
    plans = dict(answer.fetchall())
    if out.as_json:
        facts = answer.timings.as_dict()
        out.json(plans | {name: facts[name] for name in _SOURCES})
        return
    for plan in plans.values():
        out.line(str(plan).rstrip("\n"))
    out.line(answer.timings.sources())


def _assigned(texts: Sequence[str]) -> dict[str, object]:
    """Return the parameters' values by name; each has one."""
    values: dict[str, object] = {}
    for name, value in map(_assignment, texts):
        if name in values:
            raise UsageError(f"--param gives {name} two values", hint="give each name once")
        values[name] = value
    return values


def _assignment(text: str) -> tuple[str, object]:
    """Return a parameter's name and value: a number, day, truth value or null, else its text."""
    import datetime as dt

    name, sign, value = text.partition("=")
    if not sign or not re.fullmatch(r"[A-Za-z_]\w*", name):
        raise UsageError(f"'{text}' gives no parameter a value", hint="write --param name=value")
    words: dict[str, object] = {"true": True, "false": False, "null": None}
    if value.lower() in words:
        return name, words[value.lower()]
    if re.fullmatch(r"[+-]?\d{1,18}", value):
        return name, int(value)
    if re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", value):
        return name, float(value)
    if re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        try:
            return name, dt.date.fromisoformat(value)
        except ValueError as error:
            raise UsageError(f"'{text}': {error}", hint="write a day as 2024-06-01") from None
    return name, value


def _question(text: str | None, file: str | None) -> str:
    """Return the question from where it was given; exactly one place counts."""
    if text is not None and text != "-":
        if file is not None:
            raise UsageError("a question and --file as well", hint="give one of them")
        return text
    if file is not None and file != "-":
        try:
            return Path(file).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"cannot read the question from {file}: {error}") from error
    if sys.stdin.isatty():
        raise UsageError("no question", hint="for example: cimis sql 'select count(*) from daily'")
    try:
        return sys.stdin.read()
    except UnicodeDecodeError as error:
        raise UsageError(f"cannot read the question from standard input: {error}") from error
