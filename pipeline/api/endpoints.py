"""The service's paths and parameters, and what its ERR codes mean."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Protocol

from pipeline.items import Item, Scope

__all__ = [
    "ALL_STATIONS",
    "DATA_BY_STATION",
    "KEY_HEADER",
    "ONE_STATION",
    "REFUSALS",
    "DataRequest",
    "data_parameters",
]

KEY_HEADER = "Ocp-Apim-Subscription-Key"

DATA_BY_STATION = "/StationWeb/GetDataByStationNumber"
ALL_STATIONS = "/StationWeb/GetAllStations"
ONE_STATION = "/StationWeb/GetStationByStationNumber"

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


def data_parameters(request: DataRequest) -> dict[str, str]:
    """Return the query of a request for data, metric, without any key."""
    return {
        "stationNbrs": _joined(request.stations),
        "startDate": request.start.isoformat(),
        "endDate": request.end.isoformat(),
        "isHourly": "true" if request.scope is Scope.HOURLY else "false",
        "unitOfMeasure": "M",
        "dataItems": _joined([item.code for item in request.items]),
    }


def _joined(parts: Sequence[object]) -> str:
    return ",".join(str(part) for part in parts)
