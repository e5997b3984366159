"""The options that name zip codes, coordinates and addresses: to be fetched, or as stored."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from cimis.cli.options import option
from pipeline.errors import UsageError

__all__ = ["stored_target_options", "stored_targets", "target_options", "zip_list"]

F = TypeVar("F", bound=Callable[..., Any])

_NETWORKS = click.Choice(["wsn", "scs"], case_sensitive=False)
_COORDINATE = option(
    "--coordinate",
    "coordinates",
    multiple=True,
    metavar="LAT,LON",
    help="Spatial data of a point; may be given several times.",
)


def target_options(function: F) -> F:
    """Add ``--zip``, ``--network``, ``--prefer``, ``--coordinate`` and ``--address``."""
    for add in reversed(
        (
            option(
                "--zip",
                "zip_codes",
                listed=True,
                metavar="LIST",
                help="Zip codes, as 93624,94503.",
            ),
            option(
                "--network",
                type=_NETWORKS,
                help="Who answers for zip codes: the stations that serve them (wsn), or the "
                "spatial network (scs, the default).",
            ),
            option(
                "--prefer",
                type=_NETWORKS,
                help="Who answers for zip codes that both networks serve; the other for the rest.",
            ),
            _COORDINATE,
            option(
                "--address",
                "addresses",
                multiple=True,
                metavar="NAME=TEXT",
                help="Spatial data of an address, as 'HQ=1416 9th St, Sacramento, CA'; may be "
                "given several times.",
            ),
        )
    ):
        function = add(function)
    return function


def stored_target_options(function: F) -> F:
    """Add ``--zip``, ``--coordinate`` and ``--address`` for rows that are stored."""
    for add in reversed(
        (
            option(
                "--zip",
                "zip_codes",
                listed=True,
                metavar="LIST",
                help="Spatial data of zip codes, as 93624.",
            ),
            _COORDINATE,
            option(
                "--address",
                "addresses",
                multiple=True,
                metavar="NAME",
                help="Spatial data of an address, by its name; may be given several times.",
            ),
        )
    ):
        function = add(function)
    return function


def stored_targets(
    zip_codes: str | None, coordinates: tuple[str, ...], addresses: tuple[str, ...]
) -> tuple[str, ...] | None:
    """Return the keys of the targets that options name, None where they name none."""
    if zip_codes is None and not coordinates and not addresses:
        return None
    from pipeline.targets import coordinate_target, target_of_key

    keys = [] if zip_codes is None else [f"zip:{code}" for code in zip_list(zip_codes)]
    keys += [coordinate_target(text).key for text in coordinates]
    keys += [target_of_key(f"address:{name.partition('=')[0]}").key for name in addresses]
    return tuple(keys)


def zip_list(text: str) -> tuple[str, ...]:
    """Return the zip codes of a list, each once and in order; `UsageError` for what is none."""
    from pipeline.targets import zip_target

    codes = [zip_target(part).name for part in text.split(",") if part.strip()]
    if not codes:
        raise UsageError("no zip code named", hint="write five digits, as 93624,94503")
    return tuple(sorted(set(codes)))
