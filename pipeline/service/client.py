"""The HTTP client: one pool, the key in a header only, bodies as a stream, errors of one tree."""

from __future__ import annotations

import logging
import platform
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import httpx

from cimis.pipeline.errors import CimisError, DecodeError, RequestRefused, ServiceError
from cimis.pipeline.field.targets import Network
from cimis.pipeline.service.endpoints import (
    ALL_SPATIAL_ZIP_CODES,
    ALL_STATION_ZIP_CODES,
    ALL_STATIONS,
    KEY_HEADER,
    ONE_SPATIAL_ZIP_CODE,
    ONE_STATION,
    ONE_STATION_ZIP_CODE,
    DataRequest,
    data_parameters,
    data_path,
)
from cimis.pipeline.service.failures import (
    SOCKET_FAILURES,
    firewall_page,
    looks_like_html,
    refusal,
    socket_failure,
)
from cimis.pipeline.service.network import transport_to
from cimis.pipeline.service.probe import STATION, Probe
from cimis.pipeline.service.response import Response
from cimis.pipeline.service.retry import Retry, RetryPolicy
from cimis.pipeline.service.settings import Settings
from cimis.pipeline.service.stations import OnOdd, Station, parse_stations
from cimis.pipeline.service.timings import Timings, Trace
from cimis.pipeline.service.zip_codes import ZipCode, parse_zip_codes

__all__ = ["CimisClient", "Timeouts"]

_LARGEST_LIST = 16 << 20
_LARGEST_REFUSAL = 64 << 10


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Longest waits in seconds: to connect (look-up and TLS included), between bytes, to send."""

    connect_s: float = 10.0
    read_s: float = 120.0
    write_s: float = 30.0

    @classmethod
    def of(cls, wait_s: float) -> Self:
        """Return waits of which none is longer than so many seconds."""
        usual = cls()
        return cls(min(wait_s, usual.connect_s), wait_s, min(wait_s, usual.write_s))


class CimisClient:
    """A client of the live API; an async context manager with one pool of connections.

    Parameters
    ----------
    settings : Settings
        The service's address and the key.
    gzip : bool
        Whether to ask for compressed answers.
    timeout : Timeouts
        Longest waits.
    policy : RetryPolicy
        For the lists of stations; `data` makes one try, its caller repeats it.

    Raises
    ------
    AuthError
        When no key is set.

    Examples
    --------
    >>> async def names(settings):
    ...     async with CimisClient(settings) as client:
    ...         return [station.name for station in await client.stations()]
    """

    def __init__(
        self,
        settings: Settings,
        *,
        gzip: bool = True,
        timeout: Timeouts | None = None,
        policy: RetryPolicy | None = None,
    ) -> None:
        self._key = settings.key()
        self._policy = policy or RetryPolicy()
        waits = timeout or Timeouts()
        _silence_header_logs()
        self._host = httpx.URL(settings.base_url).netloc.decode()
        self._http = httpx.AsyncClient(
            base_url=settings.base_url,
            transport=transport_to(settings.base_url),
            timeout=httpx.Timeout(
                connect=waits.connect_s, read=waits.read_s, write=waits.write_s, pool=None
            ),
            follow_redirects=False,
            headers={
                "Accept": "application/json",
                "Accept-Encoding": "gzip, zstd" if gzip else "identity",
                "User-Agent": _user_agent(),
            },
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._http.aclose()

    @asynccontextmanager
    async def data(
        self, window: DataRequest, *, timings: Timings | None = None
    ) -> AsyncIterator[Response]:
        """Make one try of a request for data, and give its open answer.

        Parameters
        ----------
        window : Window
            Stations, scope, dates (inclusive) and items.
        timings : Timings, optional
            Gets the times, also of a try that fails.

        Raises
        ------
        AuthError, RequestRefused, TooManyRecords, RateLimited, ServiceError, NetworkError,
        FirewallPage
            Each with status, ERR code, stations, start and end.
        """
        where = {"stations": window.names, "start": window.start, "end": window.end}
        parameters = data_parameters(window)
        async with self._open(data_path(window), parameters, where, timings) as response:
            yield response

    async def stations(
        self,
        *,
        on_retry: Callable[[Retry], None] | None = None,
        on_odd: OnOdd | None = None,
    ) -> list[Station]:
        """Return every station of the network, active or not, in order of number.

        ``on_odd`` hears of entries that cannot be read and are left out; else they are logged.
        """
        body = await self._fetch(ALL_STATIONS, {}, {}, on_retry)
        return parse_stations(body, on_odd=on_odd)

    async def station(self, number: int) -> Station:
        """Return one station.

        Raises
        ------
        RequestRefused
            When there is no such station.
        """
        body = await self._fetch(ONE_STATION, {"stationNbr": str(number)}, {"stations": (number,)})
        for station in parse_stations(body):
            if station.number == number:
                return station
        raise RequestRefused(
            f"there is no station {number}", hint="see 'cimis stations'", stations=(number,)
        )

    async def probe(self) -> Probe:
        """Ask once, without retries, for the least that the service answers: one station's entry.

        Nothing is raised: what went wrong stands in the answer, with the service's clock where it
        said it.
        """
        found = Probe()
        self._http.event_hooks = {"response": [found.heard]}
        try:
            asked = self._open(ONE_STATION, {"stationNbr": STATION}, {}, found.timings)
            async with asked as response:
                await response.whole(_LARGEST_LIST)
        except CimisError as error:
            found.error = error
        finally:
            self._http.event_hooks = {}
        return found

    async def zip_codes(
        self, network: Network, code: str | None = None, *, on_odd: OnOdd | None = None
    ) -> list[ZipCode]:
        """Return the zip codes that a network serves, with its stations; or the entries of one.

        ``on_odd`` hears of entries that cannot be read and are left out; else they are logged.

        Raises
        ------
        RequestRefused
            When the network does not serve the zip code that is asked for.
        """
        spatial = network is Network.SCS
        if code is None:
            path = ALL_SPATIAL_ZIP_CODES if spatial else ALL_STATION_ZIP_CODES
            return parse_zip_codes(await self._fetch(path, {}, {}), on_odd=on_odd)
        path = ONE_SPATIAL_ZIP_CODE if spatial else ONE_STATION_ZIP_CODE
        found = parse_zip_codes(await self._fetch(path, {"zipCode": code}, {}), on_odd=on_odd)
        return [entry for entry in found if entry.code == code]

    async def _fetch(
        self,
        path: str,
        parameters: dict[str, str],
        where: Mapping[str, Any],
        on_retry: Callable[[Retry], None] | None = None,
    ) -> bytes:
        async def attempt() -> bytes:
            async with self._open(path, parameters, where) as response:
                return await response.whole(_LARGEST_LIST)

        return await self._policy.run(attempt, on_retry=on_retry)

    @asynccontextmanager
    async def _open(
        self,
        path: str,
        parameters: dict[str, str],
        where: Mapping[str, Any],
        timings: Timings | None = None,
    ) -> AsyncIterator[Response]:
        """Send a request and give the answer if it is data; else raise what it is."""
        timings = Timings() if timings is None else timings
        began = time.perf_counter()
        request = self._http.build_request(
            "GET",
            path,
            params=parameters,
            headers={KEY_HEADER: self._key.reveal()},
            extensions={"trace": Trace(timings)},
        )
        try:
            answer = await self._http.send(request, stream=True)
        except SOCKET_FAILURES as error:
            timings.total_ms = (time.perf_counter() - began) * 1000
            raise socket_failure(error, host=self._host, where=where) from error
        try:
            response = Response(answer, timings, host=self._host, where=where)
            await self._check(response, where)
            yield response
        finally:
            timings.total_ms = (time.perf_counter() - began) * 1000
            await answer.aclose()

    async def _check(self, response: Response, where: Mapping[str, Any]) -> None:
        """Raise the error that an answer is, unless it is data."""
        opening = await response.opening()
        page = looks_like_html(response.headers.get("content-type"), opening)
        if not page and response.status == 200:
            return
        text = self._key.scrub(await self._words(response))
        if page:
            raise firewall_page(response.status, text, host=self._host, where=where)
        raise refusal(response.status, response.headers, text, host=self._host, where=where)

    async def _words(self, response: Response) -> str:
        """Return what a refusal says; a body that breaks off says what had come."""
        try:
            return (await response.whole(_LARGEST_REFUSAL)).decode("utf-8", "replace")
        except (ServiceError, DecodeError):
            return ""


def _user_agent() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        own = version("cimis")
    except PackageNotFoundError:
        own = "0"
    return f"cimis/{own} (Python {platform.python_version()}; httpx {httpx.__version__})"


def _silence_header_logs() -> None:
    """Keep HTTP/2's header compressor from logging headers, the key among them."""
    logging.getLogger("hpack").setLevel(logging.WARNING)
