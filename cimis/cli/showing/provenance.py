"""What a saved answer says of itself: the question, the stations' names, what it lacks."""

from __future__ import annotations

import datetime as dt
import shlex
from collections.abc import Callable, Mapping, Sequence
from textwrap import shorten
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

if TYPE_CHECKING:
    from cimis.queries.export.about import About

__all__ = ["about_answer"]

_NO_QUESTION = {
    *("app_key", "base_url", "data_dir", "cache", "output", "format", "header", "allow_empty"),
    *("as_json", "no_color", "quiet", "perf"),
}
"""Options that say nothing of what was asked, or what nobody but the user is to know."""

_TITLE = 120
"""Characters of a title; the whole question stands below."""

_POLICIES = {
    "keep": "keep: flagged values stand as they are, each with its flag",
    "drop-severe": "drop-severe: values with a severe flag count as missing",
    "strict": "strict: all flagged values count as missing",
}


def about_answer(lacking: Callable[[], str], *, notes: Sequence[str] = (), sql: str = "") -> About:
    """Return what a file says of the answer of the running command.

    Parameters
    ----------
    lacking : callable
        Says what the answer is short of, once all rows have gone by; blank where nothing.
    notes : sequence of str
        What else was told of the answer.
    sql : str
        The question, where it is SQL.
    """
    from cimis.queries.export.about import About

    context = click.get_current_context(silent=True)
    given = {} if context is None else _given(context)
    name = (context and context.info_name) or "answer"

    def facts() -> list[tuple[str, str]]:
        from cimis.pipeline.field.time import PACIFIC
        from cimis.version import __version__

        policy = _POLICIES.get(str(context.params.get("qc"))) if context is not None else None
        made = dt.datetime.now(PACIFIC)
        told = [
            ("Command", shlex.join(["cimis", name, *_words(given)])),
            ("Question", sql),
            (
                "Less than asked",
                lacking().removeprefix("less than asked: ") or "nothing that is known",
            ),
            *(("Note", note) for note in notes),
            ("Flag policy", policy or ""),
            ("Made", f"{made:%Y-%m-%d %H:%M} PST by cimis {__version__}"),
            ("Source", "California Irrigation Management Information System (CIMIS)"),
        ]
        return [(what, text) for what, text in told if text]

    def names() -> Mapping[int, str]:
        return {} if context is None else _names(context)

    parts = [f"{option.lstrip('-')} {value}".strip() for option, value in given.items()]
    asked = shorten(", ".join(parts), _TITLE, placeholder=" …")
    return About(f"CIMIS {name}: {asked}" if asked else f"CIMIS {name}", facts, names)


def _given(context: click.Context) -> dict[str, str]:
    """Return what the command line says of the question: option (or argument) → value."""
    found = {}
    for parameter in context.command.params:
        name = parameter.name or ""
        said = context.get_parameter_source(name) is ParameterSource.COMMANDLINE
        if not said or name in _NO_QUESTION or name not in context.params:
            continue
        value = context.params[name]
        if isinstance(parameter, click.Option):
            found[parameter.opts[0]] = "" if value is True else _text(value)
        else:
            found[""] = _text(value)
    return found


def _words(given: Mapping[str, str]) -> list[str]:
    return [word for pair in given.items() for word in pair if word]


def _text(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _names(context: click.Context) -> dict[int, str]:
    """Return the names of the stations that the data directory has a list of."""
    from cimis.cli.session import data_root
    from cimis.naming.choice import listed
    from cimis.pipeline.errors import CimisError

    try:
        known = listed(data_root(context.params.get("data_dir")))
    except CimisError:  # no list of stations: their numbers do without names
        return {}
    return {facts["number"]: str(facts.get("name") or "") for facts in known}
