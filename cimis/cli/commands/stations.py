"""``cimis stations``: the stations of the network."""

from __future__ import annotations

from typing import Any

from cimis.cli.options import data_dir, declare, option, printing, service
from cimis.cli.output import Output
from pipeline.errors import NoDataError

__all__ = ["command"]

_COLUMNS = (
    *("number", "name", "county", "active", "connected", "disconnected", "elevation_m"),
    *("latitude", "longitude"),
)


@declare(
    "stations",
    examples=[
        "cimis stations --refresh",
        "cimis stations --active --county Yolo",
        "cimis stations --name davis --json",
    ],
)
@option("--refresh", is_flag=True, help="Ask the service for its list, and keep it.")
@option("--name", metavar="TEXT", help="Only stations whose name or city holds the text.")
@option("--county", metavar="TEXT", help="Only stations whose county holds the text.")
@option("--active/--closed", "active", default=None, help="Only active, or only closed stations.")
@service
@data_dir
@printing(talks=True)
def command(
    *,
    refresh: bool,
    name: str | None,
    county: str | None,
    active: bool | None,
    base_url: str | None,
    app_key: str | None,
    data_dir: str | None,
    out: Output,
) -> None:
    """List the stations of the network, from the catalog or, with --refresh, from the service."""
    from cimis.cli.choice import refresh_stations
    from cimis.cli.session import data_root, service_settings
    from cimis.store import create
    from pipeline.catalog import Catalog

    root = data_root(data_dir)
    if refresh:
        with create(root):
            listed = refresh_stations(root, service_settings(base_url, app_key))
        out.note(f"{len(listed)} stations listed by the service")
    with Catalog(root) as catalog:
        known = catalog.stations()
    if not known:
        raise NoDataError(
            "the catalog has no list of stations", hint="fetch it: cimis stations --refresh"
        )
    chosen = [facts for facts in known if _matches(facts, name, county, active)]
    if out.as_json:
        out.json(chosen)
    else:
        out.rows(_COLUMNS, [tuple(facts.get(c) for c in _COLUMNS) for facts in chosen])
    if not chosen:
        raise NoDataError("no station matches", hint="try a shorter text")


def _matches(
    facts: dict[str, Any], name: str | None, county: str | None, active: bool | None
) -> bool:
    named = f"{facts.get('name', '')} {facts.get('city', '')}".lower()
    return (
        (name is None or name.lower() in named)
        and (county is None or county.lower() in str(facts.get("county", "")).lower())
        and (active is None or facts.get("active") is active)
    )
