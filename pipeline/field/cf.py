"""What the CF conventions for NetCDF call the field's items, statistics and units.

By its table of standard names (cfconventions.org); reference ET has none there, nor has wind run.
Units are spelled as UDUNITS-2 reads them.
"""

from __future__ import annotations

from cimis.pipeline.field.items import Item, Rule

__all__ = ["SOURCE", "cell_method", "standard_name", "udunits"]

SOURCE = (
    "California Irrigation Management Information System (CIMIS), "
    "California Department of Water Resources"
)

_STANDARD_NAMES = {
    "air_tmp": "air_temperature",
    "dew_pnt": "dew_point_temperature",
    "net_rad": "surface_net_downward_radiative_flux",
    "precip": "lwe_thickness_of_precipitation_amount",
    "rel_hum": "relative_humidity",
    "soil_tmp": "soil_temperature",
    "sol_rad": "surface_downwelling_shortwave_flux_in_air",
    "sol_rad_net": "surface_net_downward_radiative_flux",
    "vap_pres": "water_vapor_partial_pressure_in_air",
    "wind_dir": "wind_from_direction",
    "wind_spd": "wind_speed",
}
"""By column, without the ending that says of which values of a day it is made."""

_ENDINGS = ("_avg", "_max", "_min")

_UDUNITS = {
    "°C": "degC",
    "°F": "degF",
    "W/m²": "W m-2",
    "Ly/day": "langley day-1",
    "mbar": "hPa",
    "m/s": "m s-1",
    "mph": "mile hour-1",
    "mi": "mile",
    "in": "inch",
    "gal": "US_liquid_gallon",
    "h": "hour",
    "°C d": "degC day",
    "°F d": "degF day",
    "%": "percent",
    "°": "degree",
}

_METHODS = {
    Rule.SUM: "time: sum",
    Rule.MAX: "time: maximum",
    Rule.MIN: "time: minimum",
    Rule.MEAN: "time: mean",
    Rule.DIRECTION: "time: mean",
}


def standard_name(item: Item) -> str | None:
    """Return an item's standard name; None where the conventions have none."""
    column = item.column
    if column in _STANDARD_NAMES:
        return _STANDARD_NAMES[column]
    return _STANDARD_NAMES.get(column[:-4]) if column.endswith(_ENDINGS) else None


def cell_method(rule: Rule) -> str:
    """Return how a value stands for the day or hour that it is of."""
    return _METHODS[rule]


def udunits(symbol: str) -> str:
    """Return a unit as UDUNITS spells it, from how people write it."""
    return _UDUNITS.get(symbol, symbol)
