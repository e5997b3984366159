"""Turn what goes wrong with a request into the error tree: sockets, statuses, HTML pages."""

from __future__ import annotations

import datetime as dt
import re
import socket
import ssl
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from cimis.pipeline.errors import (
    AuthError,
    CimisError,
    FirewallPage,
    NetworkError,
    RateLimited,
    RequestRefused,
    ServiceError,
    TooManyRecords,
)
from cimis.pipeline.service.endpoints import REFUSALS

__all__ = ["SOCKET_FAILURES", "firewall_page", "looks_like_html", "refusal", "socket_failure"]

SOCKET_FAILURES: tuple[type[Exception], ...] = (httpx.HTTPError, OSError)
"""What the libraries below raise when a request fails on its way."""

_SAID = {
    "dns": "the host's name cannot be looked up",
    "refused": "the host refuses the connection",
    "unreachable": "the host cannot be reached",
    "reset": "the connection was reset",
    "broken_pipe": "the connection broke while sending",
    "connect_timeout": "connecting took too long",
    "read_timeout": "the service stopped answering",
    "write_timeout": "sending took too long",
    "certificate": "the service's certificate is not trusted",
    "tls": "the encrypted connection failed",
    "eof": "the service closed the connection before the answer was whole",
    "proxy": "the proxy failed",
    "protocol": "the answer is not HTTP",
    "network": "the connection failed",
}
"""Kind of a network failure → what it is in words."""

_LATER = "try again later"
_ADVICE = {
    "dns": "check the network, its name service, and the host's name in the base URL",
    "refused": "check host and port of the base URL, and whether the service is up",
    "unreachable": "check the network and the base URL",
    "connect_timeout": "check the network, its name service and the base URL; a firewall may drop "
    "the packets",
    "read_timeout": "give it longer with --timeout, or ask for fewer days",
    "write_timeout": "check the network",
    "certificate": "name the right authority's certificates in SSL_CERT_FILE",
    "tls": "check that the base URL's port speaks TLS; else it begins with http://",
    "proxy": "check the proxy that the environment names",
    "protocol": "check host and port of the base URL",
}
"""Kind of a network failure → what to do; for the rest, `_LATER`."""

_BY_CAUSE: tuple[tuple[type[BaseException], str], ...] = (
    (socket.gaierror, "dns"),
    (ConnectionRefusedError, "refused"),
    (ConnectionResetError, "reset"),
    (BrokenPipeError, "broken_pipe"),
    (ConnectionAbortedError, "reset"),
    (ssl.SSLCertVerificationError, "certificate"),
    (ssl.SSLError, "tls"),
)
_BY_TYPE: tuple[tuple[type[BaseException], str], ...] = (
    (httpx.ConnectTimeout, "connect_timeout"),
    (httpx.ReadTimeout, "read_timeout"),
    (httpx.WriteTimeout, "write_timeout"),
    (httpx.ProxyError, "proxy"),
    (httpx.ConnectError, "unreachable"),
)

_TEXT_SHOWN = 160


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what caused it, each once; of several addresses' failures all."""
    seen: set[int] = set()
    pending: list[BaseException | None] = [error]
    while pending:
        at = pending.pop(0)
        if at is not None and id(at) not in seen:
            seen.add(id(at))
            yield at
            pending += [at.__cause__, at.__context__]
            pending += at.exceptions if isinstance(at, BaseExceptionGroup) else ()


def _kind(error: BaseException) -> str:
    """Return the kind of a failure, from the deepest cause that names one."""
    for wanted, kind in _BY_TYPE[:3]:
        if isinstance(error, wanted):
            return kind
    for at in _chain(error):
        for wanted, kind in _BY_CAUSE:
            if isinstance(at, wanted):
                return kind
    for wanted, kind in _BY_TYPE:
        if isinstance(error, wanted):
            return kind
    if isinstance(error, httpx.ProtocolError):
        text = str(error).lower()
        cut = "disconnected" in text or "closed connection" in text or "incomplete" in text
        return "eof" if cut else "protocol"
    return "network"


def socket_failure(error: Exception, *, host: str, where: Mapping[str, Any]) -> NetworkError:
    """Return the tree's error for a failure of the network.

    Parameters
    ----------
    error : Exception
        What the libraries below raised.
    host : str
        The service's host, for the message.
    where : mapping
        Stations, start and end of the request.
    """
    said = _kind(error)
    kind = "tls" if said == "certificate" else said
    mapped = NetworkError(
        f"{host}: {_SAID[said]}",
        kind=kind,
        hint=_ADVICE.get(said, _LATER),
        **where,
    )
    if said == "certificate":
        mapped.retryable = False
    return mapped


def looks_like_html(content_type: str | None, opening: bytes) -> bool:
    """Tell whether an answer is a page for people, by its type or by its first bytes."""
    if content_type is not None and content_type.split(";")[0].strip().lower() == "text/html":
        return True
    return opening.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")


def firewall_page(status: int, body: str, *, host: str, where: Mapping[str, Any]) -> FirewallPage:
    """Return the error for an HTML page, naming its title where it has one."""
    title = re.search(r"<title[^>]*>([^<]{1,80})", body, re.IGNORECASE)
    named = f" titled '{' '.join(title[1].split())}'" if title else ""
    return FirewallPage(
        f"{host} answered with an HTML page{named} where data was due (status {status})",
        status=status,
        hint="its firewall may reject the request, or the base URL is not the API's",
        **where,
    )


def refusal(
    status: int,
    headers: Mapping[str, str],
    body: str,
    *,
    host: str,
    where: Mapping[str, Any],
) -> CimisError:
    """Return the error for a status that is not 200.

    Parameters
    ----------
    status : int
        HTTP status.
    headers : mapping
        The answer's headers; ``Retry-After`` is read.
    body : str
        The answer's text without the key; an ERR code is looked for in it.
    host : str
        The service's host, for the message.
    where : mapping
        Stations, start and end of the request.
    """
    found = re.search(r"ERR\d{4}", body)
    code = found[0] if found else None
    facts: dict[str, Any] = {"status": status, "err_code": code, **where}
    said, hint = REFUSALS.get(code or "", (_shown(body), None))
    called = f"{status} {code}" if code else f"{status}"
    message = f"{host} answered {called}" + (f": {said}" if said else "")
    if status in (401, 403):
        return AuthError(
            f"{host} refuses the API key ({called})",
            hint="check the key and where it is given; 'cimis config' shows its source",
            **facts,
        )
    if status == 429 or status == 408 or status >= 500:
        kind = RateLimited if status == 429 else ServiceError
        wait_s = _retry_after_s(headers.get("retry-after"))
        advice = _LATER if wait_s is None else f"try again in {wait_s:.0f} s"
        return kind(message, retry_after_s=wait_s, hint=advice, **facts)
    if code == "ERR2112":
        return TooManyRecords(message, hint=hint, **facts)
    if 400 <= status < 500:
        return RequestRefused(message, hint=hint or "check the base URL", **facts)
    error = ServiceError(
        f"{message}, which is not followed: the key goes to no other address"
        if 300 <= status < 400
        else message,
        hint="check the base URL",
        **facts,
    )
    error.retryable = False
    return error


def _shown(body: str) -> str:
    """Return the beginning of an answer's text on one line."""
    text = " ".join("".join(c if c.isprintable() else " " for c in body).split())
    return text if len(text) <= _TEXT_SHOWN else text[:_TEXT_SHOWN] + "..."


def _retry_after_s(text: str | None) -> float | None:
    """Return the seconds that ``Retry-After`` asks for, in either of its forms."""
    if text is None:
        return None
    if re.fullmatch(r"\s*\d{1,9}\s*", text):
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=dt.UTC)
    return max((moment - dt.datetime.now(dt.UTC)).total_seconds(), 0.0)
