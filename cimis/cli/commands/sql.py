"""``cimis sql``: a question in SQL over all that is stored."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from cimis.cli.answers import Form, answering, deliver
from cimis.cli.options import data_dir, declare, option, printing, read_cache
from cimis.cli.output import Output
from pipeline.errors import UsageError

__all__ = ["command"]


@declare(
    "sql",
    examples=[
        "cimis sql 'select station, sum(asce_eto) from daily group by station'",
        "cimis sql --file question.sql -o answer.parquet",
        "echo 'select count(*) from daily' | cimis sql",
    ],
)
@click.argument("text", required=False)
@option("--file", "file", metavar="FILE", help="Read the question from a file.")
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
    unsafe: bool,
    perf: bool,
    cache: str | None,
    form: Form,
    data_dir: str | None,
    out: Output,
) -> None:
    """Answer a question in SQL (DuckDB's) over the views daily, hourly, stations and chunks.

    The question is the argument, or comes from --file or standard input. It can read nothing but
    the views: no file, no network, no setting, unless --unsafe is given.
    """
    from cimis.cli.session import opened

    question = _question(text, file)
    with opened(data_dir, cache) as store:
        answer = store.sql(question, unsafe=unsafe)
        try:
            deliver(answer.batches(), answer.schema, form=form, out=out, timings=answer.timings)
        finally:
            if perf:
                out.timings(answer.timings.stop())


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
    return sys.stdin.read()
