"""The HTTP library's pool of connections to one service, by the proxy of the environment."""

from __future__ import annotations

import os
import ssl
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx

from cimis.pipeline.errors import UsageError
from cimis.pipeline.service.agent import user_agent
from cimis.pipeline.service.waits import Timeouts

__all__ = ["host_of", "pool", "transport_to"]

_LIMITS = httpx.Limits(max_connections=64, max_keepalive_connections=64, keepalive_expiry=30.0)
"""Of one pool; an HTTP/2 service needs but one connection."""

_PROXY_HINT = "name an HTTP proxy in HTTPS_PROXY, or the host in NO_PROXY"
_CERTIFICATES_HINT = "name a file of PEM certificates, or a folder of them as c_rehash makes"


def host_of(base_url: str) -> str:
    """Return the host, and the port, of a base URL; `UsageError` for a name that none can have."""
    try:
        return httpx.URL(base_url).netloc.decode()
    except httpx.InvalidURL as error:
        raise UsageError(f"the base URL has no host that can be: {error}") from None


def transport_to(base_url: str) -> httpx.AsyncHTTPTransport:
    """Return one pool of HTTP/2 and HTTP/1.1 connections to a service.

    Parameters
    ----------
    base_url : str
        The service; decides about TLS and proxy.

    Raises
    ------
    UsageError
        When the environment names a proxy that does not speak HTTP, or certificates that cannot
        be read.
    """
    parts = urlsplit(base_url)
    proxy = _proxy(parts.scheme, parts.hostname or "")
    return httpx.AsyncHTTPTransport(
        verify=trusting(parts.scheme), http2=True, limits=_LIMITS, proxy=proxy
    )


def trusting(scheme: str) -> ssl.SSLContext:
    """Return what says whom to trust: the authorities that the environment names, or the usual.

    http has no use for them, and they take long to load; none is trusted then.
    """
    if scheme != "https":
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    named = {name: os.environ.get(name) or None for name in ("SSL_CERT_FILE", "SSL_CERT_DIR")}
    file, folder = named.values()
    if file is None and folder is None:
        import certifi

        file = certifi.where()
    for name, path in named.items():
        if path is not None and not Path(path).exists():
            raise UsageError(f"{name} names {path}, which does not exist", hint=_CERTIFICATES_HINT)
    try:
        return ssl.create_default_context(cafile=file, capath=folder)
    except OSError as error:
        raise UsageError(
            f"SSL_CERT_FILE names {file}, which holds no certificates that can be read: "
            f"{error.strerror or error}",
            hint=_CERTIFICATES_HINT,
        ) from error


def _proxy(scheme: str, host: str) -> httpx.Proxy | None:
    """Return the proxy that the environment names for a host, if any.

    Its URL may hold a password, which no message shows.
    """
    if host in ("localhost", "::1") or host.startswith("127.") or proxy_bypass(host):
        return None
    proxies = getproxies()
    found = proxies.get(scheme) or proxies.get("all")
    if not found:
        return None
    kind, _, rest = found.rpartition("://")
    if kind.lower() not in ("", "http", "https"):
        raise UsageError(
            f"the environment's proxy for {host} is of the kind '{kind}'", hint=_PROXY_HINT
        )
    try:
        url = httpx.URL(f"{kind or 'http'}://{rest}")
        if not url.host:
            raise ValueError("no host")
    except (httpx.InvalidURL, ValueError):
        raise UsageError(
            f"the environment's proxy for {host} is not a URL", hint=_PROXY_HINT
        ) from None
    # a proxy over TLS must be trusted as the service must
    return httpx.Proxy(url, ssl_context=trusting("https") if url.scheme == "https" else None)


def pool(base_url: str, waits: Timeouts, *, gzip: bool) -> httpx.AsyncClient:
    """Return a pool of connections to the service, which keeps nothing that the service sets."""
    made = httpx.AsyncClient(
        base_url=base_url,
        transport=transport_to(base_url),
        timeout=httpx.Timeout(
            connect=waits.connect_s, read=waits.read_s, write=waits.write_s, pool=None
        ),
        follow_redirects=False,
        headers={
            "Accept": "application/json",
            "Accept-Encoding": "gzip, zstd" if gzip else "identity",
            "User-Agent": user_agent(),
        },
    )
    made.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=()))
    return made
