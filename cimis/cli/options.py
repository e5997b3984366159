"""The options that commands share."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from cimis.cli.declaring import Command, declare, gathered, help_option, option
from cimis.cli.long_options import LongOption
from cimis.cli.showing.output import Output
from cimis.parsing import Days
from cimis.pipeline.errors import UsageError

__all__ = [
    "Command",
    "LongOption",
    "data_dir",
    "declare",
    "gathered",
    "help_option",
    "option",
    "place_options",
    "printing",
    "qc_option",
    "read_cache",
    "scope_option",
    "service",
    "span_options",
    "stations_option",
    "units_option",
]

F = TypeVar("F", bound=Callable[..., Any])


def printing(*, talks: bool = False) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add ``--json`` and ``--no-color``, and ``--quiet`` to what ``talks``; pass an ``out``."""

    def wrap(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def run(
            *args: Any,
            as_json: bool,
            no_color: bool,
            quiet: bool = False,
            with_names: bool = False,
            **named: Any,
        ) -> Any:
            out = Output(as_json=as_json, color=not no_color, quiet=quiet)
            if with_names:
                from cimis.cli.session import data_root

                out = out._replace(names=data_root(named["data_dir"]))
            return function(*args, out=out, **named)

        wrapped: Callable[..., Any] = run
        if talks:
            wrapped = option("-q", "--quiet", is_flag=True, help="Say nothing but errors.")(wrapped)
        wrapped = option("--no-color", is_flag=True, help="No colours; so does NO_COLOR.")(wrapped)
        return option("--json", "as_json", is_flag=True, help="Answer in JSON, errors too.")(
            wrapped
        )

    return wrap


def data_dir(function: F) -> F:
    """Add ``--data-dir``."""
    return option(
        "--data-dir",
        metavar="DIR",
        help="Data directory; else CIMIS_DATA_DIR, the configuration file, or 'data'.",
    )(function)


def read_cache(function: F) -> F:
    """Add ``--cache``."""
    return option(
        "--cache",
        metavar="SIZE",
        help="The most that the read cache of a scope may take, as 2GB; else CIMIS_CACHE, the "
        "configuration file, or no bound; 0 keeps none.",
    )(function)


def scope_option(function: F) -> F:
    """Add ``--scope``, and ``--hourly`` for its other value; pass ``scope`` as a text."""

    @functools.wraps(function)
    def run(*args: Any, scope: str, hourly: bool, **named: Any) -> Any:
        context = click.get_current_context()
        said = context.get_parameter_source("scope") is ParameterSource.COMMANDLINE
        if hourly and said and scope != "hourly":
            raise UsageError(
                f"--hourly and --scope {scope} exclude each other", hint="give one of them"
            )
        return function(*args, scope="hourly" if hourly else scope, **named)

    wrapped: Any = option("--hourly", is_flag=True, help="The same as --scope hourly.")(run)
    made: F = option(
        "--scope",
        type=click.Choice(["daily", "hourly"]),
        default="daily",
        show_default=True,
        help="Daily or hourly records.",
    )(wrapped)
    return made


def span_options(function: F) -> F:
    """Add ``--start``, ``--end``, and the options that name a period, as ``--month``.

    They reach the function as ``days``, a :class:`cimis.parsing.Days`.
    """

    @functools.wraps(function)
    def run(*args: Any, **named: Any) -> Any:
        days = Days(**{name: named.pop(name) for name in Days._fields})
        return function(*args, days=days, **named)

    wrapped: Any = run
    spans = (
        "one question is about one span of days: --start 2020-03 --end 2020-05, --year 2020-2024"
    )
    for name, metavar, text in reversed(
        (
            ("--start", "DAY", "First day: 2024-06-01, 2024-06, 2024, yesterday."),
            ("--end", "DAY", "Last day, inclusive, in the same forms."),
            ("--year", "YEAR", "A whole year, a range 2020-2024; this (to yesterday) or last."),
            (
                "--month",
                "MONTH",
                "A whole month, 2024-06, a range 2024-06..2024-08; this (to yesterday) or last.",
            ),
            ("--week", "WEEK", "From Monday to Sunday: this (to yesterday) or last."),
            (
                "--water-year",
                "YEAR",
                "From October of the year before to September; ranges and words as of --year.",
            ),
            ("--last", "SPAN", "Up to yesterday: 30d, 4w, 6m or 2y."),
        )
    ):
        wrapped = option(name, metavar=metavar, once=spans, help=text)(wrapped)
    made: F = wrapped
    return made


def _where(*parts: Any) -> Any:
    from cimis.naming.where import Where

    return Where(*parts)


def place_options(function: F) -> F:
    """Add ``--county``, ``--near`` and ``--within``.

    They reach the function as ``where``, a :class:`cimis.naming.where.Where`.
    """
    function = gathered("where", "county", "near", "within", into=_where)(function)
    function = option(
        "--within",
        type=click.FloatRange(min=0),
        metavar="KM",
        help="All stations so far from --near; without it the nearest one.",
    )(function)
    function = option(
        "--near",
        metavar="LAT,LON",
        help="Stations near a point; of those that worked in these days.",
    )(function)
    return option(
        "--county", listed=True, metavar="TEXT", help="Stations whose county holds the text."
    )(function)


def stations_option(*, names: bool = False) -> Callable[[F], F]:
    """Add ``--stations``, also spelled ``--station``; its names reach the command as numbers.

    With ``names`` also ``--names``, for answers with a row per station.
    """
    add = option(
        "--stations",
        "--station",
        "stations",
        listed=True,
        metavar="LIST",
        help="Stations by number, range or name, as 2,5-7,davis; or all.",
    )

    def wrap(function: F) -> F:
        @functools.wraps(function)
        def run(*args: Any, stations: str | None, **named: Any) -> Any:
            if stations is not None and any(map(str.isalpha, stations)):
                from cimis.cli.calling import in_numbers

                silent = named.get("quiet", False) or named.get("log_format") == "json"
                out = Output(as_json=named["as_json"], quiet=silent)
                stations = in_numbers(stations, data_dir=named["data_dir"], out=out)
            return function(*args, stations=stations, **named)

        made: Any = run
        if names:
            made = option(
                "--names", "with_names", is_flag=True, help="Give stations' names beside numbers."
            )(made)
        return add(made)  # type: ignore[no-any-return]

    return wrap


def units_option(function: F) -> F:
    """Add ``--units``: of the answer."""
    return option(
        "--units",
        type=click.Choice(["metric", "english"]),
        default="metric",
        show_default=True,
        help="System of units of the answer.",
    )(function)


def qc_option(default: str, told: str) -> Callable[[F], F]:
    """Add ``--qc``: a policy for flags; ``told`` is what it says of flagged values."""
    return option(
        "--qc",
        type=click.Choice(["keep", "drop-severe", "strict"]),
        default=default,
        show_default=True,
        help=f"Which flagged values {told}",
    )


def service(function: F) -> F:
    """Add the options that say which service to ask, and with which key."""
    function = option(
        "--base-url",
        metavar="URL",
        help="Service address; else CIMIS_BASE_URL, the configuration file, or the live one.",
    )(function)
    return option(
        "--app-key",
        metavar="KEY",
        help="API key; better in CIMIS_APP_KEY or the configuration file.",
    )(function)
