"""Station names on the command line as numbers; in doubt a terminal is asked which is meant."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cimis.cli.showing.output import Output

if TYPE_CHECKING:
    from cimis.naming.called import Doubt

__all__ = ["in_numbers"]


def in_numbers(text: str, *, data_dir: str | None, out: Output) -> str:
    """Return a list of stations with a number in the place of each name.

    Only a list with a name in it reads the catalog. What a part of a name meant is told.

    Raises
    ------
    UsageError
        For a name that is none or may mean several, where nobody can be asked.
    """
    if text.strip().lower() == "all":
        return text
    from cimis.cli.session import data_root
    from cimis.naming.called import called, is_name
    from cimis.naming.lists import known_stations

    known = known_stations(data_root(data_dir))
    names = {facts["number"]: str(facts.get("name")) for facts in known}
    asked = _answer_of if _somebody_reads(out) else None
    numbers = []
    for part in text.split(","):
        if not is_name(part):
            numbers.append(part)
            continue
        number = called(part, known, asked)
        numbers.append(str(number))
        if _letters(names[number]) != _letters(part):
            given = part.strip()
            out.aside(
                "station",
                {"given": given, "station": number, "name": names[number]},
                f"'{given}' is taken for {names[number]} ({number})",
            )
    return ",".join(numbers)


def _letters(name: str) -> str:
    """Return what counts of a name."""
    from cimis.naming.called import slug

    return slug(name).replace("-", "")


def _somebody_reads(out: Output) -> bool:
    """Tell whether questions can be asked: a terminal to ask on, and one to answer from."""
    return sys.stdin.isatty() and sys.stderr.isatty() and not (out.quiet or out.as_json)


def _answer_of(doubt: Doubt) -> int | None:
    """Ask which of some stations is meant; None where it is none of them."""
    import click

    stations = {int(one["number"]): one for one in doubt.stations}
    if len(stations) == 1:
        ((number, one),) = stations.items()
        question = f"no station is called '{doubt.text}'; did you mean {one.get('name')} ({number})"
        return number if click.confirm(f"{question}?", default=True, err=True) else None
    said = "fits" if doubt.fits else "is no station, and is like"
    click.echo(f"'{doubt.text}' {said} {len(stations)}:", err=True)
    for number, one in stations.items():
        click.echo(f"  {number:>3}  {_described(one)}", err=True)
    while True:
        given = click.prompt(
            "its number (nothing: none of them)", default="", show_default=False, err=True
        )
        if not given.strip():
            return None
        if given.strip().isdigit() and int(given) in stations:
            return int(given)
        click.echo(f"'{given}' is none of these numbers", err=True)


def _described(facts: Mapping[str, Any]) -> str:
    """Return what tells a station from others of its name: county and years."""
    begun, ended = (str(facts.get(day) or "")[:4] for day in ("connected", "disconnected"))
    years = f"{begun}-{ended}" if ended else f"since {begun}" if begun else ""
    county = f"{facts['county']} County" if facts.get("county") else ""
    return ", ".join(part for part in (str(facts.get("name")), county, years) if part)
