"""The options that name zip codes, coordinates and addresses: to be fetched, or as stored."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from cimis.cli.options import gathered, option
from cimis.pipeline.errors import UsageError

if TYPE_CHECKING:
    from cimis.pipeline.field.targets import Network, Target

__all__ = ["Spatial", "stored_target_options", "stored_targets", "target_options", "zip_list"]

F = TypeVar("F", bound=Callable[..., Any])

_NETWORKS = click.Choice(["wsn", "scs"], case_sensitive=False)
_COORDINATE = option(
    "--coordinate",
    "coordinates",
    multiple=True,
    metavar="LAT,LON",
    help="Spatial data of a point; may be given several times.",
)


class Spatial(NamedTuple):
    """Zip codes, coordinates and addresses to be fetched, as texts, and who answers for them."""

    zip_codes: str | None = None
    network: str | None = None
    prefer: str | None = None
    coordinates: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()

    def targets(self) -> tuple[Target, ...]:
        """Return the targets that the texts mean; `UsageError` for what is none."""
        from cimis.pipeline.field.targets import address_target, coordinate_target, zip_target

        codes = () if self.zip_codes is None else zip_list(self.zip_codes)
        return (
            *map(coordinate_target, self.coordinates),
            *map(address_target, self.addresses),
            *map(zip_target, codes),
        )

    def networks(self) -> dict[str, Network | None]:
        """Return which network alone, or first, answers for the zip codes."""
        from cimis.pipeline.field.targets import Network

        named = {"network": self.network, "prefer": self.prefer}
        return {n: None if text is None else Network(text.lower()) for n, text in named.items()}


def target_options(function: F) -> F:
    """Add ``--zip``, ``--network``, ``--prefer``, ``--coordinate`` and ``--address``.

    They reach the function as ``spatial``, a :class:`Spatial`.
    """
    function = gathered("spatial", *Spatial._fields, into=Spatial)(function)
    for add in reversed(
        (
            option(
                "--zip",
                "zip_codes",
                listed=True,
                metavar="LIST",
                help="Zip codes, as 93624,95616.",
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
    """Add ``--zip``, ``--coordinate`` and ``--address`` for rows that are stored.

    They reach the function as ``targets``, their keys, or None.
    """
    names = ("zip_codes", "coordinates", "addresses")
    function = gathered("targets", *names, into=stored_targets)(function)
    for add in reversed(
        (
            option(
                "--zip",
                "zip_codes",
                listed=True,
                metavar="LIST",
                help="Zip codes, as 93624,95616; whose spatial data are stored.",
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
    from cimis.pipeline.field.targets import coordinate_target, target_of_key

    keys = [] if zip_codes is None else [f"zip:{code}" for code in zip_list(zip_codes)]
    keys += [coordinate_target(text).key for text in coordinates]
    keys += [target_of_key(f"address:{name.partition('=')[0]}").key for name in addresses]
    return tuple(keys)


def zip_list(text: str) -> tuple[str, ...]:
    """Return the zip codes of a list, each once and in order; `UsageError` for what is none."""
    from cimis.pipeline.field.targets import zip_target

    codes = [zip_target(part).name for part in text.split(",") if part.strip()]
    if not codes:
        raise UsageError("no zip code named", hint="write five digits, as 93624,94503")
    return tuple(sorted(set(codes)))
