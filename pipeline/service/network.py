"""The HTTP library's transport to one service, through the proxy that the environment names."""

from __future__ import annotations

import ssl
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx

from cimis.pipeline.errors import UsageError

__all__ = ["transport_to"]

_LIMITS = httpx.Limits(max_connections=64, max_keepalive_connections=64, keepalive_expiry=30.0)
"""Of one pool; an HTTP/2 service needs but one connection."""


def transport_to(base_url: str) -> httpx.AsyncHTTPTransport:
    """Return one pool of HTTP/2 and HTTP/1.1 connections to a service.

    Parameters
    ----------
    base_url : str
        The service; decides about TLS and proxy.

    Raises
    ------
    UsageError
        When the environment names a proxy that does not speak HTTP.
    """
    parts = urlsplit(base_url)
    return httpx.AsyncHTTPTransport(
        # http has no use for the authorities, which take long to load; none is trusted then
        verify=parts.scheme == "https" or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
        http2=True,
        limits=_LIMITS,
        proxy=_proxy(parts.scheme, parts.hostname or ""),
    )


def _proxy(scheme: str, host: str) -> str | None:
    """Return the proxy that the environment names for a host, if any."""
    if host in ("localhost", "::1") or host.startswith("127.") or proxy_bypass(host):
        return None
    proxies = getproxies()
    found = proxies.get(scheme) or proxies.get("all")
    if found is None or "://" not in found:
        return f"http://{found}" if found else None
    if urlsplit(found).scheme not in ("http", "https"):
        raise UsageError(
            f"the environment's proxy for {host} is of the kind '{urlsplit(found).scheme}'",
            hint="name an HTTP proxy in HTTPS_PROXY, or the host in NO_PROXY",
        )
    return found
