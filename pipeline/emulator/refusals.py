"""What the emulated service refuses, with the codes, statuses and texts of the live one."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from pipeline.items import Item, Scope, Standard, by_code, default_items

__all__ = ["FIREWALL_PAGE", "MAX_RECORDS", "Question", "Refusal", "ask"]

FIRST_DATE = dt.date(1982, 6, 7)
MAX_RECORDS = {Scope.DAILY: 1750, Scope.HOURLY: 5020}

FIREWALL_PAGE = (
    "<html><head><title>Request Rejected</title></head><body>The requested URL was rejected. "
    "Please consult with your administrator.<br><br>Your support ID is: 0</body></html>"
)


class Refusal(Exception):
    """An answer other than data: HTTP status, ERR code and text."""

    def __init__(self, status: int, code: str, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.code = code
        self.text = text

    @property
    def message(self) -> str:
        """The text with its code, as the service writes it."""
        return f"{self.code}-{self.text}"


@dataclass(frozen=True, slots=True)
class Question:
    """A request for data that has passed every check."""

    stations: tuple[int, ...]
    scope: Scope
    start: dt.date
    end: dt.date
    items: tuple[Item, ...]
    standard: Standard


def _date(text: str | None, name: str) -> dt.date:
    try:
        if text is None or not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            raise ValueError
        return dt.date.fromisoformat(text)
    except ValueError:
        raise Refusal(400, "ERR1009", f"INVALID DATE FORMAT IN {name}, USE YYYY-MM-DD") from None


def _items(text: str | None, scope: Scope) -> tuple[Item, ...]:
    if text is None or text in ("", "default"):
        return default_items(scope)
    found = []
    for code in text.split(","):
        item = by_code(code)
        if item is None or item.scope is not scope:
            raise Refusal(404, "ERR1035", f"DATA ITEM NOT FOUND: {code[:60]}")
        if item not in found:
            found.append(item)
    return tuple(found)


def _stations(text: str | None, known: Collection[int]) -> tuple[int, ...]:
    parts = (text or "").split(",")
    if not all(re.fullmatch(r" *[0-9]{1,5} *", part) for part in parts):
        raise Refusal(400, "ERR2006", "INVALID OR MIXED TARGETS")
    numbers = tuple(dict.fromkeys(int(part) for part in parts))
    unknown = [number for number in numbers if number not in known]
    if unknown:
        raise Refusal(404, "ERR1019", f"STATION NOT FOUND: {unknown[0]}")
    return numbers


def ask(parameters: Mapping[str, str], known: Collection[int], today: dt.date) -> Question:
    """Return what a query's parameters ask for, or raise the `Refusal` that the API gives."""
    stations = _stations(parameters.get("stationNbrs"), known)
    start, end = (
        _date(parameters.get("startDate"), "startDate"),
        _date(parameters.get("endDate"), "endDate"),
    )
    if start > today or end > today:
        raise Refusal(400, "ERR1010", "DATE IN THE FUTURE")
    if start < FIRST_DATE or end < FIRST_DATE:
        raise Refusal(400, "ERR1011", "DATE BEFORE 1982-06-07")
    if start > end:
        raise Refusal(400, "ERR1012", "START DATE AFTER END DATE")
    unit = parameters.get("unitOfMeasure", "E")
    if unit not in ("E", "M"):
        raise Refusal(400, "ERR1032", "INVALID UNIT OF MEASURE")
    scope = Scope.HOURLY if parameters.get("isHourly", "false") == "true" else Scope.DAILY
    items = _items(parameters.get("dataItems"), scope)
    days = (end - start).days + 1
    asked = len(stations) * days * (24 if scope is Scope.HOURLY else 1)
    if asked > MAX_RECORDS[scope]:
        raise Refusal(
            400,
            "ERR2112",
            f"DATA VOLUME VIOLATION: {asked} RECORDS EXCEED THE MAXIMUM DATA LIMIT "
            f"OF {MAX_RECORDS[scope]}",
        )
    standard = Standard.METRIC if unit == "M" else Standard.ENGLISH
    return Question(tuple(sorted(stations)), scope, start, end, items, standard)
