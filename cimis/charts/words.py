"""The words of charts: items and quantities in short, stations by name, spans of days."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from cimis.pipeline.field import units
from cimis.pipeline.field.items import Item, Standard

__all__ = [
    "axis_title",
    "called",
    "figure",
    "item_word",
    "listed",
    "quantity_word",
    "sentence",
    "span_words",
    "station_word",
]

_ITEMS = {
    "air_tmp": "Air temperature",
    "air_tmp_avg": "Mean air temperature",
    "air_tmp_max": "Highest air temperature",
    "air_tmp_min": "Lowest air temperature",
    "dew_pnt": "Dew point",
    "eto": "Reference ET (CIMIS)",
    "asce_eto": "Reference ET",
    "asce_etr": "Reference ET, tall crop",
    "precip": "Rain",
    "rel_hum": "Relative humidity",
    "rel_hum_avg": "Mean relative humidity",
    "rel_hum_max": "Highest relative humidity",
    "rel_hum_min": "Lowest relative humidity",
    "soil_tmp": "Soil temperature",
    "soil_tmp_avg": "Mean soil temperature",
    "soil_tmp_max": "Highest soil temperature",
    "soil_tmp_min": "Lowest soil temperature",
    "sol_rad": "Solar radiation",
    "sol_rad_avg": "Solar radiation",
    "sol_rad_net": "Net radiation",
    "net_rad": "Net radiation",
    "vap_pres": "Vapour pressure",
    "vap_pres_avg": "Mean vapour pressure",
    "vap_pres_max": "Highest vapour pressure",
    "vap_pres_min": "Lowest vapour pressure",
    "wind_dir": "Wind direction",
    "res_wind": "Resultant wind speed",
    "wind_run": "Wind run",
    "wind_spd": "Wind speed",
    "wind_spd_avg": "Mean wind speed",
}

_QUANTITIES = {
    units.TEMPERATURE: "Temperature",
    units.DEPTH: "Depth of water",
    units.HUMIDITY: "Relative humidity",
    units.RADIATION: "Radiation",
    units.PRESSURE: "Vapour pressure",
    units.SPEED: "Wind speed",
    units.DIRECTION: "Wind direction",
    units.RUN: "Wind run",
    units.SECTOR_WIND: "Wind by sector",
}


def item_word(item: Item) -> str:
    """Return an item in a few words."""
    return _ITEMS.get(item.column) or item.description.partition(";")[0].partition(" (")[0]


def quantity_word(item: Item) -> str:
    """Return what an item measures."""
    return _QUANTITIES.get(item.quantity) or item_word(item)


def axis_title(items: Sequence[Item], standard: Standard, *, per: str = "") -> str:
    """Return the title of an axis on which items of one quantity stand, with its unit."""
    words = dict.fromkeys(map(item_word, items))
    word = next(iter(words)) if len(words) == 1 else quantity_word(items[0])
    symbol = items[0].symbol(standard)
    return f"{word}{per} ({symbol})" if symbol else f"{word}{per}"


def station_word(station: Any, names: Mapping[int, str]) -> str:
    """Return a station by name and number, as ``Davis (6)``."""
    name = names.get(station)
    return f"{name} ({station})" if name else f"station {station}"


def called(stations: Sequence[Any], names: Mapping[int, str], most: int = 3) -> str:
    """Return stations in words; of more than ``most`` how many they are."""
    if len(stations) > most:
        return f"{len(stations)} stations"
    return listed([station_word(station, names) for station in stations])


def listed(words: Sequence[str]) -> str:
    """Return words as a list in a sentence."""
    return ", ".join(words[:-1]) + " and " + words[-1] if len(words) > 1 else "".join(words)


def sentence(words: Sequence[str]) -> list[str]:
    """Return words as they follow each other in a sentence: small letters after the first."""
    return [
        word if place == 0 or word[:2].isupper() else word[:1].lower() + word[1:]
        for place, word in enumerate(words)
    ]


def span_words(first: dt.date, last: dt.date) -> str:
    """Return a span of days in words."""
    return f"{first}" if first == last else f"{first} to {last}"


def figure(value: float | None, symbol: str = "") -> str:
    """Return a figure for a sentence, with at most four significant digits above the point."""
    if value is None or value != value:
        return "unknown"
    text = (
        f"{value:,.0f}"
        if abs(value) >= 1_000
        else f"{value:.3g}"
        if abs(value) < 100
        else f"{value:.1f}"
    )
    return f"{text}{'' if symbol in ('', '%', '°') else ' '}{symbol}"
