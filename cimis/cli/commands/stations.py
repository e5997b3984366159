"""``cimis stations``: the stations of the network, and those near a place."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import click

from cimis.cli.options import data_dir, declare, option, printing, service
from cimis.cli.showing.answers import Cut, say_limited
from cimis.cli.showing.lists import save_text, show_list
from cimis.cli.showing.output import Output, counted
from cimis.cli.showing.wanted import Form, listing
from cimis.pipeline.errors import NoDataError, UsageError
from cimis.pipeline.field.serving import served
from cimis.pipeline.lacks import Lacks

__all__ = ["command"]

_COLUMNS = (
    *("station", "name", "county", "active", "connected", "disconnected", "elevation_m"),
    *("latitude", "longitude"),
)
_UNITS = {
    "elevation_m": "m",
    "latitude": "°",
    "longitude": "°",
    "distance_km": "km",
    "bearing_deg": "°",
}
_NEAR = ("distance_km", "bearing_deg")
_QUALITY = ("quality", "quality_of")
_SPARE = ("longitude", "latitude", "elevation_m", "disconnected", "connected", "active")


@declare(
    "stations",
    examples=[
        "cimis stations --refresh",
        "cimis stations --active --county Yolo",
        "cimis stations --near 38.54,-121.78 --within 40 --active 2024 --eto",
        "cimis stations --called davis --json",
        "cimis stations --county Yolo -o yolo.xlsx",
        "cimis stations --called davis --quality 2024",
    ],
)
@option("--refresh", is_flag=True, help="Ask the service for its list, and keep it.")
@option(
    "--called",
    "names",
    listed=True,
    metavar="LIST",
    help="Only stations whose name or city holds the text, or one of several, as davis,shafter.",
)
@option("--county", listed=True, metavar="TEXT", help="Stations whose county holds the text.")
@option(
    "--near",
    metavar="LAT,LON",
    help="Stations near a point; all, by their distance, which is told.",
)
@option(
    "--within",
    type=click.FloatRange(min=0),
    metavar="KM",
    help="All stations so far from --near; without it all.",
)
@option(
    "--zip",
    "zip_codes",
    listed=True,
    metavar="LIST",
    help="Zip codes, as 93624,95616; only stations that serve one of them.",
)
@option(
    "--active",
    is_flag=False,
    flag_value="now",
    metavar="[YEAR]",
    help="Only stations that work now, or that worked in a year.",
)
@option("--closed", is_flag=True, help="Only stations that work no more.")
@option("--eto", is_flag=True, help="Only stations that measure reference ET.")
@option(
    "--quality",
    is_flag=False,
    flag_value="all",
    metavar="[YEAR]",
    help="Tell the worst verdict of the checks of 'cimis qc' over the daily records stored.",
)
@listing(empty=True, more=("geojson",))
@service
@data_dir
@printing(talks=True)
def command(
    *,
    refresh: bool,
    names: str | None,
    county: str | None,
    near: str | None,
    within: float | None,
    zip_codes: str | None,
    active: str | None,
    closed: bool,
    eto: bool,
    quality: str | None,
    form: Form,
    base_url: str | None,
    app_key: str | None,
    data_dir: str | None,
    out: Output,
) -> None:
    """List the stations of the network, from the catalog or, with --refresh, from the service.

    With --near the nearest comes first, with its distance and the direction in which it lies, in
    degrees from north through east. With --quality the verdict is sound, suspect, bad or no
    evidence, and quality_of says by which check of which item; of a station without any record
    there is none.
    """
    from cimis.cli.session import data_root, service_settings
    from cimis.cli.targets import zip_list
    from cimis.directory import make_directory
    from cimis.naming.choice import by_distance, in_county, listed
    from cimis.naming.lists import NetworkLists
    from cimis.naming.where import Where
    from cimis.parsing import year_span
    from cimis.pipeline.field.places import parse_place

    place = None if near is None else parse_place(near)
    parts = [part.strip() for part in (names or "").split(",") if part.strip()]
    codes = None if zip_codes is None else set(zip_list(zip_codes))
    Where(county, near, within)
    if closed and active is not None:
        raise UsageError("--active and --closed exclude each other", hint="give one of them")
    span = None if active in (None, "now") else year_span(active or "")
    root = data_root(data_dir)
    if refresh:
        make_directory(root)
        fresh = NetworkLists(root, service_settings(base_url, app_key), warn=out.warn).refreshed()
        out.note(f"{len(fresh)} stations listed by the service")
    known = listed(root)
    if county is not None:
        known = in_county(known, county)
    chosen = [
        facts
        for facts in known
        if (not parts or any(_is_called(facts, part) for part in parts))
        and (codes is None or not codes.isdisjoint(facts.get("zip_codes", ())))
        and (active is None or _works(facts, span))
        and (not closed or not facts.get("active"))
        and (not eto or facts.get("eto"))
    ]
    if place is not None:
        unplaced = len(chosen) - len(by_distance(chosen, place, None))
        chosen = by_distance(chosen, place, within)
        if unplaced:
            out.note(f"{counted(unplaced, 'station')} without coordinates left out")
    if quality is not None:
        chosen = _judged(chosen, quality, root, out)
    more = (*(_NEAR if place is not None else ()), *(_QUALITY if quality is not None else ()))
    _show(chosen, out, form, (*_COLUMNS, *more))
    if not chosen and not form.allow_empty:
        raise NoDataError(
            "no station matches", hint="leave out a condition, or give less of the name"
        )


def _is_called(facts: dict[str, Any], name: str) -> bool:
    from cimis.naming.choice import matches

    return matches(f"{facts.get('name', '')} {facts.get('city', '')}", name)


def _works(facts: dict[str, Any], span: tuple[dt.date, dt.date] | None) -> bool:
    """Tell whether a station works now, or worked on some day of a span."""
    if span is None:
        return bool(facts.get("active"))
    return served(facts, *span)


def _judged(
    chosen: list[dict[str, Any]], year: str, root: Path, out: Output
) -> list[dict[str, Any]]:
    """Return the stations with the worst verdict on each, over a year or all that is stored."""
    from cimis.cli.session import opened
    from cimis.parsing import year_span

    first, last = (None, None) if year == "all" else year_span(year)
    numbers = [facts["number"] for facts in chosen]
    try:
        with opened(str(root), None, told=out.note) as store:
            found = store.qc(stations=numbers, start=first, end=last) if numbers else None
    except NoDataError:
        found = None
    worst = {} if found is None else found.worst()
    if found is not None and found.lacks.damaged:
        out.lacks(Lacks(damaged=found.lacks.damaged))
    without = len(set(numbers) - worst.keys())
    if without:
        out.note(f"{counted(without, 'station')} without a daily record to judge")
    told = {n: (one.verdict.value, f"{one.check} of {one.item}") for n, one in worst.items()}
    return [
        facts | dict(zip(_QUALITY, told.get(facts["number"], (None, None)), strict=True))
        for facts in chosen
    ]


def _show(
    stations: list[dict[str, Any]], out: Output, form: Form, columns: tuple[str, ...]
) -> None:
    stations = [_told(facts) for facts in stations]
    named = form.format is None and form.to_file and str(form.output).lower().endswith(".geojson")
    if form.format == "geojson" or named:
        cut = Cut(form.limit)
        features = [_feature(facts) for facts in cut.of(stations)]
        collection = {"type": "FeatureCollection", "features": features}
        if form.to_file:
            save_text(json.dumps(collection, ensure_ascii=False), len(features), form, out)
        else:
            out.json(collection)
        say_limited(cut, out)
        return
    rows = [tuple(facts.get(column) for column in columns) for facts in stations]
    show_list(
        columns,
        rows,
        form=form,
        out=out,
        spare=_SPARE,
        records=stations,
        units=_UNITS,
        days=("connected", "disconnected"),
    )


def _told(facts: dict[str, Any]) -> dict[str, Any]:
    """Return what is told of a station, its number under the name that it has beside records."""
    rest = {name: value for name, value in facts.items() if name != "number"}
    return {"station": facts["number"]} | rest


def _feature(facts: dict[str, Any]) -> dict[str, Any]:
    """Return a station as GeoJSON (RFC 7946: longitude first, then latitude, height in metres)."""
    point = [facts.get("longitude"), facts.get("latitude")]
    if facts.get("elevation_m") is not None:
        point.append(facts["elevation_m"])
    known = None not in point[:2]
    rest = {k: v for k, v in facts.items() if k not in ("latitude", "longitude")}
    return {
        "type": "Feature",
        "id": facts["station"],
        "geometry": {"type": "Point", "coordinates": point} if known else None,
        "properties": rest,
    }
