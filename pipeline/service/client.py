"""The HTTP client: one pool, the key in a header only, bodies as a stream, errors of one tree."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from types import TracebackType
from typing import Any, NoReturn, Self, TypeVar

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
    not_asked_for,
    refusal,
    socket_failure,
)
from cimis.pipeline.service.masking import causes, mask_error, quiet_header_logs
from cimis.pipeline.service.network import host_of, pool
from cimis.pipeline.service.probe import STATION, Probe
from cimis.pipeline.service.response import Response
from cimis.pipeline.service.retry import Retry, RetryPolicy
from cimis.pipeline.service.settings import Settings
from cimis.pipeline.service.stations import OnOdd, Reader, Station, log_odd, parse_stations
from cimis.pipeline.service.timings import Timings, Trace
from cimis.pipeline.service.waits import Deadline, Timeouts
from cimis.pipeline.service.zip_codes import ZipCode, parse_zip_codes

__all__ = ["CimisClient"]

T = TypeVar("T")

_LARGEST_LIST = 16 << 20
_LARGEST_REFUSAL = 64 << 10


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
    UsageError
        For a base URL, or a proxy or certificates of the environment, that cannot be used.

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
        self._waits = waits = timeout or Timeouts()
        quiet_header_logs()
        self._host = host_of(settings.base_url)
        self._http = pool(settings.base_url, waits, gzip=gzip)

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
        return self._read(parse_stations, body, on_odd)

    async def station(self, number: int) -> Station:
        """Return one station.

        Raises
        ------
        RequestRefused
            When there is no such station.
        """
        where = {"stations": (number,)}
        body = await self._fetch(ONE_STATION, {"stationNbr": str(number)}, where)
        found = self._read(parse_stations, body)
        for station in found:
            if station.number == number:
                return station
        if found:
            raise not_asked_for(f"station {number}", f"station {found[0].number}", **where)
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
        DecodeError
            When the answer is of other zip codes.
        """
        spatial = network is Network.SCS
        if code is None:
            path = ALL_SPATIAL_ZIP_CODES if spatial else ALL_STATION_ZIP_CODES
            return self._read(parse_zip_codes, await self._fetch(path, {}, {}), on_odd)
        path = ONE_SPATIAL_ZIP_CODE if spatial else ONE_STATION_ZIP_CODE
        found = self._read(parse_zip_codes, await self._fetch(path, {"zipCode": code}, {}), on_odd)
        entries = [entry for entry in found if entry.code == code]
        if found and not entries:
            raise not_asked_for(f"zip code {code}", f"zip code {found[0].code}")
        return entries

    def shown(self, text: str) -> str:
        """Return a text of an answer as it may be shown: without the key, on one line."""
        return "".join(c if c.isprintable() else " " for c in self._key.scrub(text))

    def _read(self, parse: Reader[T], body: bytes, on_odd: OnOdd | None = None) -> list[T]:
        """Return the entries of a list; no error of them shows the key."""
        tell, key = on_odd or log_odd, self._key.reveal()
        try:
            return parse(body, on_odd=lambda error: tell(mask_error(error, key)))
        except DecodeError as error:
            raise mask_error(error, key) from None

    async def _fetch(
        self,
        path: str,
        parameters: dict[str, str],
        where: Mapping[str, Any],
        on_retry: Callable[[Retry], None] | None = None,
    ) -> bytes:
        async def attempt() -> bytes:
            async with self._open(path, parameters, where) as response:
                body = await response.whole(_LARGEST_LIST)
                # what the service repeats of the key shall not be kept as a station's name
                return body.replace(self._key.reveal().encode(), b"****")

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
        deadline = Deadline(self._waits.whole_s)
        request = self._http.build_request(
            "GET",
            path,
            params=parameters,
            headers={KEY_HEADER: self._key.reveal()},
            extensions={"trace": Trace(timings)},
        )
        try:
            async with deadline.kept():
                answer = await self._http.send(request, stream=True)
        except SOCKET_FAILURES as error:
            timings.total_ms = (time.perf_counter() - began) * 1000
            self._fail(error, where)
        try:
            fail = partial(self._fail, where=where)
            response = Response(answer, timings, deadline, fail, host=self._host, where=where)
            await self._check(response, where)
            yield response
        except CimisError as error:
            raise mask_error(error, self._key.reveal()) from self._untold(error.__cause__)
        finally:
            timings.total_ms = (time.perf_counter() - began) * 1000
            await answer.aclose()

    def _fail(self, error: Exception, where: Mapping[str, Any]) -> NoReturn:
        """Raise what a failure below is in the tree of errors."""
        failure = socket_failure(error, host=self._host, where=where)
        raise failure from self._untold(error)

    def _untold(self, error: BaseException | None) -> BaseException | None:
        """Return an error that may stand as a cause: None for one that shows the key."""
        texts = [t for at in causes(error) for t in (str(at), repr(at))] if error else []
        return None if any(self._key.scrub(text) != text for text in texts) else error

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
