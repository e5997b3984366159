"""The usual variables name a proxy, and exempt from it; the key goes through it only encrypted."""

from __future__ import annotations

from pathlib import Path

import pytest

from cimis.pipeline.errors import NetworkError, UsageError
from cimis.pipeline.service import CimisClient
from tests.api.raw_server import KEY, RawServer, reply, says
from tests.hostile.bodies import right
from tests.hostile.conftest import Authority
from tests.hostile.servers import answering, answering_h2, proxying
from tests.hostile.ways_in import WAYS, refused, settings_of, taken


def beyond(server: RawServer) -> str:
    """Return the base URL of a server by a name that only the proxy can reach."""
    return f"https://cimis.test:{server.base_url.rpartition(':')[2]}"


@pytest.mark.parametrize("way", WAYS)
def test_https_goes_through_a_tunnel(
    way: str, root: Path, trusted: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The proxy learns host and port, and nothing of the request."""
    answer = says(reply(right(way)))
    with proxying() as proxy, answering(answer, tls=trusted.server("cimis.test")) as server:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        assert taken(way, beyond(server), root)
    assert [KEY in head for head in server.heads] == [True] * len(server.heads)
    assert {head.split()[0] for head in proxy.heads} == {"CONNECT"}
    shown = "".join(proxy.heads)
    assert KEY not in shown
    assert "Web" not in shown


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
def test_each_spelling_of_the_variable_counts(
    name: str, root: Path, trusted: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = says(reply(right("stations")))
    with proxying() as proxy, answering(answer, tls=trusted.server("cimis.test")) as server:
        monkeypatch.setenv(name, proxy.url.removeprefix("http://") if "ALL" in name else proxy.url)
        assert taken("stations", beyond(server), root)
    assert len(proxy.heads) == 1


def test_a_proxy_over_tls_must_be_trusted_too(
    root: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = says(reply(right("stations")))
    with (
        proxying(tls=authority.server()) as proxy,
        answering(answer, tls=authority.server("cimis.test")) as server,
    ):
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        error = refused("stations", beyond(server), root)
        assert "not trusted" in str(error)
        assert (proxy.heads, server.heads) == ([], [])
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
        assert taken("stations", beyond(server), root)


def test_behind_a_proxy_the_service_must_be_who_it_says(
    root: Path, trusted: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy that leads elsewhere, or looks into the tunnel, gets no request."""
    with proxying() as proxy, answering(says(reply()), tls=trusted.server("evil.test")) as server:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        error = refused("streaming", beyond(server), root)
    assert "another host's" in str(error)
    assert server.heads == []


@pytest.mark.parametrize("exempt", ["cimis.test", ".test", "*", "a.b, cimis.test"])
def test_exempt_hosts_go_without(
    exempt: str, root: Path, trusted: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    with proxying() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        monkeypatch.setenv("NO_PROXY", exempt)
        error = refused("streaming", "https://cimis.test:9", root)
    assert error.as_dict()["kind"] == "dns"
    assert proxy.heads == []


REFUSALS = {
    "asks for a password": b"HTTP/1.1 407 Authenticate\r\nContent-Length: 0\r\n\r\n",
    "forbids": b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n",
    "finds no way": b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 3\r\n\r\nbad",
    "answers itself": b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9\r\n\r\n",
    "is no proxy": b"220 smtp.example ESMTP\r\n\r\n",
    "breaks off": b"",
}


@pytest.mark.parametrize("way", ["streaming", "stations"])
@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_proxy_that_refuses_is_told_of(
    refusal: str, way: str, root: Path, trusted: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    with proxying(REFUSALS[refusal]) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url.replace("//", "//user:s3cret-word@"))
        error = refused(way, "https://cimis.test", root)
    assert isinstance(error, NetworkError)
    assert error.kind in ("proxy", "protocol", "eof")
    assert "s3cret" not in f"{error} {error.as_dict()}"
    assert "Proxy-Authorization: Basic" in proxy.heads[0]


@pytest.mark.parametrize(
    "named",
    ["socks5://user:s3cret@127.0.0.1:9", "http://user:s3cret@h:port", "http://", "ftp://s3cret"],
)
def test_a_proxy_that_is_none_is_refused_without_its_password(
    named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", named)
    with pytest.raises(UsageError) as caught:
        CimisClient(settings_of("https://cimis.test"))
    assert "s3cret" not in f"{caught.value!r} {caught.value.hint}"
    assert "HTTPS_PROXY" in str(caught.value.hint)


def test_http_2_goes_through_a_tunnel_too(
    root: Path, trusted: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    import h2.connection

    def frames(connection: h2.connection.H2Connection, stream: int) -> None:
        connection.send_headers(stream, [(":status", "200")])
        connection.send_data(stream, right("stations"), end_stream=True)

    with proxying() as proxy, answering_h2(frames, trusted.server("cimis.test")) as server:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        port = server.base_url.rpartition(":")[2]
        assert taken("stations", f"https://cimis.test:{port}", root)
    assert server.asked[0]["ocp-apim-subscription-key"] == KEY
    assert KEY not in "".join(proxy.heads)
