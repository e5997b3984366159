"""The service's paths and parameters, and what its ERR codes mean."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Protocol

from cimis.pipeline.field.items import Item, Scope
from cimis.pipeline.field.targets import Kind, Naming, Target

__all__ = [
    "ALL_SPATIAL_ZIP_CODES",
    "ALL_STATIONS",
    "ALL_STATION_ZIP_CODES",
    "KEY_HEADER",
    "ONE_SPATIAL_ZIP_CODE",
    "ONE_STATION",
    "ONE_STATION_ZIP_CODE",
    "REFUSALS",
    "DataRequest",
    "data_parameters",
    "data_path",
]

KEY_HEADER = "Ocp-Apim-Subscription-Key"

_BY_NUMBER = "/StationWeb/GetDataByStationNumber"
_BY_STATION_ZIP = "/StationWeb/GetDataByStationZipCodes"
_BY_EITHER_ZIP = "/GeoStationWeb/GetDataByGeoStationZipCodes"
_SPATIAL = {
    Kind.ZIP: ("/SpatialWeb/GetDataBySpatialZipCodes", "zipCodes", ","),
    Kind.COORDINATE: ("/SpatialWeb/GetDataBySpatialCoordinates", "coordinates", ";"),
    Kind.ADDRESS: ("/SpatialWeb/GetDataByAddresses", "addresses", ";"),
}
"""Path, name of the parameter, and what stands between targets."""

ALL_STATIONS = "/StationWeb/GetAllStations"
ONE_STATION = "/StationWeb/GetStationByStationNumber"
ALL_STATION_ZIP_CODES = "/StationWeb/GetAllStationsZipCodes"
ONE_STATION_ZIP_CODE = "/StationWeb/GetStationZipCodeInfoByZipCode"
ALL_SPATIAL_ZIP_CODES = "/SpatialWeb/GetAllSpatialZipCodes"
ONE_SPATIAL_ZIP_CODE = "/SpatialWeb/GetSpatialZipCodeInfoByZipCode"

REFUSALS: dict[str, tuple[str, str]] = {
    "ERR1006": ("the API key is not valid", "check the key; old ones had to be issued again"),
    "ERR1010": ("a date lies in the future", "end at the network's present day (PST) or before"),
    "ERR1011": ("a date lies before the network's first day", "start at 1982-06-07 or later"),
    "ERR1012": ("the start lies after the end", "exchange them"),
    "ERR1019": ("there is no such station", "see 'cimis stations'"),
    "ERR1025": ("a coordinate is not valid", "write it as lat=34.99,lng=-118.34"),
    "ERR1031": ("the zip code is not supported", "see the service's list of zip codes"),
    "ERR1032": ("the unit of measure is not valid", "it must be E or M"),
    "ERR1034": ("a coordinate is not in California", "check latitude and longitude"),
    "ERR1035": ("there is no such data item", "see 'cimis items'"),
    "ERR2006": ("the targets are not valid, or of mixed kinds", "name one kind of target"),
    "ERR2007": ("hourly items do not exist for coordinates", "ask for daily items"),
    "ERR2112": ("the request asks for more records than the service gives", "ask for fewer days"),
    "ERR2114": ("an item does not exist for coordinates", "see 'cimis items'"),
    "ERR2115": ("an item does not exist for addresses", "see 'cimis items'"),
}
"""ERR code → what it means, and what to do."""


class DataRequest(Protocol):
    """What one request for data asks for; both dates are inclusive."""

    @property
    def stations(self) -> tuple[int, ...]: ...  # noqa: D102 # the names say it
    @property
    def scope(self) -> Scope: ...  # noqa: D102
    @property
    def start(self) -> dt.date: ...  # noqa: D102
    @property
    def end(self) -> dt.date: ...  # noqa: D102
    @property
    def items(self) -> tuple[Item, ...]: ...  # noqa: D102
    @property
    def naming(self) -> Naming: ...  # noqa: D102
    @property
    def names(self) -> tuple[int | str, ...]: ...  # noqa: D102


def data_path(request: DataRequest) -> str:
    """Return the path of the endpoint that a request for data goes to."""
    targets, zips = _asked(request)
    if request.naming.prefer is not None:
        return _BY_EITHER_ZIP
    if targets:
        return _SPATIAL[targets[0].kind][0]
    return _BY_STATION_ZIP if zips else _BY_NUMBER


def data_parameters(request: DataRequest) -> dict[str, str]:
    """Return the query of a request for data, metric, without any key."""
    parameters = {
        **_whom(request),
        "startDate": request.start.isoformat(),
        "endDate": request.end.isoformat(),
        "isHourly": "true" if request.scope is Scope.HOURLY else "false",
        "unitOfMeasure": "M",
        "dataItems": _joined([item.code for item in request.items]),
    }
    targets, _ = _asked(request)
    if targets and request.naming.prefer is None:
        del parameters["isHourly"]  # spatial data are daily; its endpoints have no such parameter
    return parameters


def _whom(request: DataRequest) -> dict[str, str]:
    targets, zips = _asked(request)
    prefer = request.naming.prefer
    if prefer is not None:
        codes = [target.name for target in targets] or zips
        return {"zipCodes": _joined(codes), "prefer": prefer.name}
    if targets:
        _, name, between = _SPATIAL[targets[0].kind]
        return {name: between.join(target.sent for target in targets)}
    return {"zipCodes": _joined(zips)} if zips else {"stationNbrs": _joined(request.stations)}


def _asked(request: DataRequest) -> tuple[list[Target], tuple[str, ...]]:
    """Return the spatial targets, and the zip codes of stations, that a request asks for."""
    found = [request.naming.target(number) for number in request.stations]
    targets = [target for target in found if target is not None]
    return targets, () if targets else request.naming.zip_codes(request.stations)


def _joined(parts: Sequence[object]) -> str:
    return ",".join(str(part) for part in parts)
