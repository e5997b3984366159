"""Turn what goes wrong with a request into the error tree: sockets, statuses, HTML pages."""

from __future__ import annotations

import datetime as dt
import re
import socket
import ssl
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any, TypeGuard

import httpx

from cimis.pipeline.errors import (
    AuthError,
    CimisError,
    DecodeError,
    FirewallPage,
    NetworkError,
    RateLimited,
    RequestRefused,
    ServiceError,
    TooManyRecords,
)
from cimis.pipeline.service.endpoints import REFUSALS
from cimis.pipeline.service.masking import causes
from cimis.pipeline.service.waits import TooSlow

__all__ = [
    "SOCKET_FAILURES",
    "firewall_page",
    "looks_like_html",
    "not_asked_for",
    "refusal",
    "socket_failure",
]

SOCKET_FAILURES: tuple[type[Exception], ...] = (httpx.HTTPError, OSError, TooSlow)
"""What is raised below when a request fails on its way."""

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
    "too_slow": "the service did not come to the end of its answer in time",
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
    "too_slow": "give it longer with --timeout, or ask for fewer days",
    "certificate": "name the right authority's certificates in SSL_CERT_FILE",
    "tls": "check that the base URL's port speaks TLS; else it begins with http://",
    "proxy": "check the proxy that the environment names",
    "protocol": "check host and port of the base URL",
}
"""Kind of a network failure → what to do; for the rest, `_LATER`."""

_ELSEWHERE = "check the host of the base URL; what answers may not be the service"
_CERTIFICATES: dict[int | None, tuple[str, str]] = {
    9: (
        "the service's certificate is not valid yet",
        "check this machine's clock",
    ),
    10: (
        "the service's certificate has expired",
        "check this machine's clock; else wait until the service has a new one",
    ),
    62: ("the service's certificate is another host's", _ELSEWHERE),
    64: ("the service's certificate is another address's", _ELSEWHERE),
}
"""OpenSSL's number of what is wrong with a certificate → what it is in words, and what to do."""

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
    (TooSlow, "too_slow"),
    (httpx.ProxyError, "proxy"),
    (httpx.ConnectError, "unreachable"),
)

_TEXT_SHOWN = 160


def _kind(error: BaseException) -> str:
    """Return the kind of a failure, from the deepest cause that names one."""
    for wanted, kind in _BY_TYPE[:4]:
        if isinstance(error, wanted):
            return kind
    for at in causes(error):
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
    kind = _kind(error)
    if kind != "certificate":
        hint = _ADVICE.get(kind, _LATER)
        return NetworkError(f"{host}: {_SAID[kind]}", kind=kind, hint=hint, **where)
    code = next((at.verify_code for at in causes(error) if _unverified(at)), None)
    said, hint = _CERTIFICATES.get(code, (_SAID[kind], _ADVICE[kind]))
    mapped = NetworkError(f"{host}: {said}", kind="tls", hint=hint, **where)
    mapped.retryable = False
    return mapped


def _unverified(error: BaseException) -> TypeGuard[ssl.SSLCertVerificationError]:
    return isinstance(error, ssl.SSLCertVerificationError)


def not_asked_for(asked: str, got: str, **where: Any) -> DecodeError:
    """Return the error for an answer about something else than was asked."""
    return DecodeError(
        f"the answer is not what was asked for: {got} came in the place of {asked}",
        hint="nothing of this answer is kept; try again later",
        **where,
    )


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
