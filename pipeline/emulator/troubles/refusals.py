"""What the emulated service refuses, with the codes, statuses and texts of the live one."""

from __future__ import annotations

import datetime as dt

from cimis.pipeline.field.items import Scope

__all__ = ["FIREWALL_PAGE", "FIRST_DATE", "MAX_RECORDS", "Refusal"]

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
