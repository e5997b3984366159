"""The lists that the network keeps of itself: stations, as the catalog has them, and zip codes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from cimis.pipeline.errors import DecodeError
    from cimis.pipeline.service import RetryPolicy, Settings, Station, Timeouts, ZipCode

__all__ = ["NetworkLists", "known_stations", "left_out"]

T = TypeVar("T")


def known_stations(root: Path) -> list[dict[str, Any]]:
    """Return the stations that a data directory's catalog knows; none where it has no catalog."""
    from cimis.pipeline.catalog.database import CATALOG_FILE, Catalog
    from cimis.pipeline.storage import storage_of

    if not storage_of(root).database(root, CATALOG_FILE).is_file():
        return []
    with Catalog(root) as catalog:
        return catalog.stations()


def left_out(error: DecodeError) -> str:
    """Return in words that an entry of a list of the service is left out, and why."""
    return f"an entry of the service's list is left out: {error}"


def _nobody(_: str) -> None:
    """Hear nothing."""


@dataclass(frozen=True, slots=True)
class NetworkLists:
    """From where the lists come, and who hears what is odd about them.

    Parameters
    ----------
    root : pathlib.Path
        The data directory, whose catalog keeps the list of stations.
    settings : Settings
        The service to ask where the catalog's list does not do.
    ask : bool
        Whether the service may be asked for the list of stations.
    say, warn : callable
        Hear what is left out and tried again, and which entries are odd.
    policy, timeout : optional
        When to try again, and how long to wait.
    """

    root: Path
    settings: Settings
    ask: bool = True
    say: Callable[[str], None] = _nobody
    warn: Callable[[str], None] = _nobody
    policy: RetryPolicy | None = None
    timeout: Timeouts | None = None

    def known(self) -> dict[int, dict[str, Any]]:
        """Return the facts of the stations that the catalog knows, by number."""
        return {facts["number"]: facts for facts in known_stations(self.root)}

    def refreshed(
        self, *, on_odd: Callable[[DecodeError], None] | None = None
    ) -> list[dict[str, Any]]:
        """Ask the service for its list of stations, keep it in the catalog, and return it.

        Of an entry that cannot be read, and that ``on_odd`` hears of, what was known before is
        kept.
        """
        from cimis.pipeline.catalog.database import Catalog
        from cimis.pipeline.service import CimisClient
        from cimis.pipeline.service.loop import waited_for

        async def ask() -> list[Station]:
            async with CimisClient(
                self.settings, policy=self.policy, timeout=self.timeout
            ) as client:
                return await client.stations(
                    on_retry=lambda retry: self.say(str(retry)), on_odd=on_odd or self._odd
                )

        listed = waited_for(ask())
        with Catalog(self.root) as catalog:
            catalog.put_stations((s.number, s.name, _facts(s)) for s in listed)
            return catalog.stations()

    def zip_codes(self, *, spatial: bool) -> tuple[list[ZipCode], list[ZipCode]]:
        """Return the zip codes that stations serve and, if asked, those of the spatial network."""
        from cimis.pipeline.field.targets import Network
        from cimis.pipeline.service import CimisClient
        from cimis.pipeline.service.loop import waited_for

        async def ask() -> tuple[list[ZipCode], list[ZipCode]]:
            async with CimisClient(
                self.settings, policy=self.policy, timeout=self.timeout
            ) as client:
                serving = await client.zip_codes(Network.WSN, on_odd=self._odd)
                if not spatial:
                    return serving, []
                return serving, await client.zip_codes(Network.SCS, on_odd=self._odd)

        return waited_for(ask())

    def _odd(self, error: DecodeError) -> None:
        self.warn(left_out(error))


def _facts(station: Any) -> dict[str, Any]:
    """Return a station as JSON-ready facts, its days as text."""
    return {
        name: value.isoformat() if isinstance(value, dt.date) else value
        for name, value in asdict(station).items()
    }
