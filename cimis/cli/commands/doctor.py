"""``cimis doctor``: what is wrong with key, service, clock, store, cache and versions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cimis.cli.options import data_dir, declare, option, printing, service
from cimis.cli.showing.output import Output

if TYPE_CHECKING:
    from cimis.health.finding import Examination, Finding

__all__ = ["command"]

_COLORS = {"ok": "green", "warning": "yellow", "problem": "red", "skipped": "bright_black"}


@declare(
    "doctor",
    examples=["cimis doctor", "cimis doctor --offline", "cimis doctor --offline --json"],
)
@option("--offline", is_flag=True, help="Ask the service nothing.")
@service
@data_dir
@printing(talks=True)
def command(
    *,
    offline: bool,
    base_url: str | None,
    app_key: str | None,
    data_dir: str | None,
    out: Output,
) -> int:
    """Look at all that a fetch and a question need, and tell of each what to do.

    A line each, marked ok, warning, problem, or skipped where it was not looked at: the key (never
    shown), the service by one small request, the clock, the data directory, the read cache, and
    what is installed. Nothing is changed. Exit code 0 without a problem, also with warnings; 8 with
    one. Nothing of the key is in the answer, which can be sent along with a report.
    """
    from cimis.health.doctor import examined

    found = examined(_root(data_dir), None, app_key, base_url, offline=offline)
    if out.as_json:
        out.json(found.as_dict())
    else:
        _tell(found, out)
    return found.exit_code


def _root(given: str | None) -> Path:
    """Return the data directory, also where the configuration that may name it is itself amiss."""
    from cimis.cli.session import data_root
    from cimis.pipeline.errors import UsageError
    from cimis.pipeline.service.settings import NAMES

    try:
        return data_root(given)
    except UsageError:
        return Path(given or str(NAMES["data_dir"][1]))


def _tell(found: Examination, out: Output) -> None:
    """Print a line for each finding, and below it what to do."""
    from cimis.cli.showing.signs import colored

    paint = colored(out)
    marks = max(len(one.mark.value) for one in found.findings)
    topics = max(len(one.topic) for one in found.findings)
    for one in found.findings:
        for line in _lines(one, marks, topics, out.width if out.to_people else None, paint=paint):
            out.line(line)
    out.note(found.summary)


def _lines(one: Finding, marks: int, topics: int, width: int | None, *, paint: bool) -> list[str]:
    """Return a finding's lines, of a terminal as wide as it."""
    import textwrap

    import click

    mark = one.mark.value.ljust(marks)
    if paint:
        mark = click.style(mark, fg=_COLORS[one.mark.value])
    texts = [one.says, *([f"-> {one.do}"] if one.do else ())]
    indent = " " * (marks + topics + 4)
    shown = [
        part
        for text in texts
        for part in (
            [text]
            if width is None
            else textwrap.wrap(text, max(width - len(indent), 24), break_long_words=False)
        )
    ]
    return [
        f"{mark}  {one.topic.ljust(topics)}  {shown[0]}",
        *(indent + text for text in shown[1:]),
    ]
