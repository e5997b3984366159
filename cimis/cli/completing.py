"""What a shell is offered for an option's value: from tables and the catalog, quick or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from cimis.pipeline.errors import CimisError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["commands", "offered", "questions"]

Offer = tuple[str, str]
"""A value, and what it means."""

_PERIODS = (("this", "up to yesterday"), ("last", "the whole one before"))


def offered(name: str, ctx: click.Context, incomplete: str) -> list[CompletionItem] | None:
    """Return the values of an option that begin as typed; None where the option has no such list.

    Of a list by commas the last part is completed.
    """
    if kind := _PATHS.get(name):
        return [CompletionItem(incomplete, type=kind)]
    offers = _OFFERS.get(name)
    if offers is None:
        return None
    before, comma, last = incomplete.rpartition(",") if name in _LISTS else ("", "", incomplete)
    return _items(offers(ctx), last.lower(), before + comma)


def questions(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[Any]:
    """Return the named questions that begin as typed."""
    from cimis.queries.answers.named import named_queries

    offers = ((name, query.description) for name, query in named_queries().items())
    return _items(offers, incomplete, "")


def commands(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[Any]:
    """Return the commands that begin as typed, without loading any."""
    from cimis.cli.app import COMMANDS

    return _items(((name, one.help) for name, one in COMMANDS.items()), incomplete, "")


def _items(offers: Iterable[Offer], begun: str, before: str) -> list[CompletionItem]:
    return [
        CompletionItem(before + value, help=meaning)
        for value, meaning in offers
        if value.startswith(begun)
    ]


def _stations(ctx: click.Context) -> Iterator[Offer]:
    """Yield numbers, and the names that mean one station each."""
    from collections import Counter

    from cimis.naming.called import slug

    known = _known(ctx)
    slugs = [slug(str(facts.get("name") or "")) for facts in known]
    counts = Counter(slugs)
    for facts in known:
        yield str(facts["number"]), str(facts.get("name"))
    for facts, name in zip(known, slugs, strict=True):
        if name and counts[name] == 1:
            county = f", {facts['county']} County" if facts.get("county") else ""
            yield name, f"station {facts['number']}{county}"
    yield "all", "every station"


def _counties(ctx: click.Context) -> Iterator[Offer]:
    from cimis.naming.called import slug

    names = {str(facts["county"]) for facts in _known(ctx) if facts.get("county")}
    yield from ((slug(name), name) for name in sorted(names))


def _known(ctx: click.Context) -> list[dict[str, Any]]:
    """Return the stations of the catalog; none, without a word, where it cannot be read."""
    from cimis.cli.session import data_root
    from cimis.naming.lists import known_stations

    try:
        root: Path = data_root(ctx.params.get("data_dir"))
        return known_stations(root)
    except (CimisError, OSError):
        return []


def _data_items(ctx: click.Context) -> Iterator[Offer]:
    from cimis.pipeline.field.items import Scope, scope_items

    hourly = bool(ctx.params.get("hourly")) or ctx.params.get("scope") == "hourly"
    for item in scope_items(Scope.HOURLY if hourly else Scope.DAILY):
        yield item.column, item.description


def _periods(_ctx: click.Context) -> Iterable[Offer]:
    return _PERIODS


def _comparisons(_ctx: click.Context) -> Iterable[Offer]:
    return ("last-year", "the same days a year earlier"), ("normal", "what is normal for the day")


_OFFERS: dict[str, Callable[[click.Context], Iterable[Offer]]] = {
    "stations": _stations,
    "county": _counties,
    "items": _data_items,
    "compare": _comparisons,
    **dict.fromkeys(("year", "month", "water_year", "week"), _periods),
}
"""By the name under which the option reaches its command."""

_LISTS = {"stations", "county", "items"}
_PATHS = {
    **dict.fromkeys(("output", "file", "crops", "page", "fault_file", "metrics_file"), "file"),
    "data_dir": "dir",
}
