"""No answer makes the client go elsewhere, so the key goes nowhere but where it was meant for."""

from __future__ import annotations

import ssl
from pathlib import Path

import h2.connection
import pytest

from cimis.pipeline.errors import ServiceError
from tests.api.raw_server import KEY, reply, says
from tests.hostile.conftest import Authority
from tests.hostile.servers import answering, answering_h2, proxying
from tests.hostile.ways_in import WAYS, refused

STATUSES = ("301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent", "300 Some")


@pytest.mark.parametrize("way", WAYS)
def test_no_way_in_follows_to_another_port(way: str, root: Path) -> None:
    with answering(says(reply())) as other:
        there = f"Location: {other.base_url}/StationWeb/GetAllStations"
        with answering(says(reply(b"", status="302 Found", headers=(there,)))) as server:
            error = refused(way, server.base_url, root)
    assert type(error) is ServiceError
    assert not error.retryable
    assert "not followed" in str(error)
    assert (len(server.heads), other.heads) == (1, [])


@pytest.mark.parametrize("status", STATUSES)
def test_no_kind_of_redirect_is_followed(status: str, root: Path) -> None:
    with answering(says(reply())) as other:
        there = (f"Location: {other.base_url}/", f"Refresh: 0; url={other.base_url}/")
        with answering(says(reply(b"", status=status, headers=there))) as server:
            error = refused("streaming", server.base_url, root)
    assert not error.as_dict()["retryable"]
    assert other.heads == []


@pytest.mark.parametrize(
    "place", ["/else", "//127.0.0.1/else", "?more", "http:/\\127.0.0.1", "\x80"]
)
def test_not_even_to_the_same_host(place: str, root: Path) -> None:
    """Whatever the place is: relative, without a scheme, or no address at all."""
    answer = reply(b"", status="307 Temporary", headers=(f"Location: {place}",))
    with answering(says(answer)) as server:
        refused("streaming", server.base_url, root)
    assert len(server.heads) == 1


@pytest.mark.parametrize("way", ["streaming", "stations"])
def test_not_from_https_to_http(way: str, root: Path, trusted: Authority) -> None:
    with answering(says(reply())) as plain:
        there = f"Location: {plain.base_url}/StationWeb/GetAllStations"
        answer = says(reply(b"", status="301 Moved", headers=(there,)))
        with answering(answer, tls=trusted.server()) as server:
            error = refused(way, server.base_url, root)
    assert "not followed" in str(error)
    assert (len(server.heads), plain.heads) == (1, [])


def test_not_over_http_2_either(root: Path, trusted: Authority) -> None:
    with answering(says(reply())) as other:

        def frames(connection: h2.connection.H2Connection, stream: int) -> None:
            there = f"{other.base_url}/"
            headers = [(":status", "308"), ("location", there), ("alt-svc", f'h2="{there[7:-1]}"')]
            connection.send_headers(stream, headers, end_stream=True)

        with answering_h2(frames, trusted.server()) as server:
            error = refused("streaming", server.base_url, root)
            refused("streaming", server.base_url, root)
    assert "not followed" in str(error)
    assert [asked["ocp-apim-subscription-key"] for asked in server.asked] == [KEY, KEY]
    assert other.heads == []


def test_not_at_the_word_of_a_proxy(
    root: Path, trusted: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy that refuses the tunnel with a redirect has not seen the key, nor has its goal."""
    with answering(says(reply())) as other:
        away = reply(b"", status="302 Found", headers=(f"Location: {other.base_url}/",))
        with proxying(away) as proxy:
            monkeypatch.setenv("HTTPS_PROXY", proxy.url)
            error = refused("streaming", "https://cimis.test", root)
    assert error.as_dict()["kind"] == "proxy"
    assert other.heads == []
    assert KEY not in "".join(proxy.heads)


def test_not_out_of_a_proxys_tunnel(
    root: Path, trusted: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    with answering(says(reply())) as other, proxying() as proxy:
        answer = reply(b"", status="302 Found", headers=(f"Location: {other.base_url}/",))
        with answering(says(answer), tls=trusted.server("cimis.test")) as server:
            monkeypatch.setenv("HTTPS_PROXY", proxy.url)
            monkeypatch.setenv("HTTP_PROXY", proxy.url)
            port = server.base_url.rpartition(":")[2]
            error = refused("streaming", f"https://cimis.test:{port}", root)
    assert "not followed" in str(error)
    assert other.heads == []
    assert [head.split()[0] for head in proxy.heads] == ["CONNECT"]


def test_the_key_stands_in_no_url_and_no_referer(root: Path) -> None:
    """After a redirect, and on a connection that is used again."""
    answer = says(reply(b"", status="302 Found", headers=("Location: /else",)))
    with answering(answer) as server:
        for way in WAYS:
            refused(way, server.base_url, root)
    for head in server.heads:
        line, *headers = head.split("\r\n")
        assert KEY not in line
        assert "appkey" not in line.lower()
        assert [h.partition(":")[0] for h in headers if KEY in h] == ["Ocp-Apim-Subscription-Key"]
        assert not [h for h in headers if h.lower().startswith(("referer", "origin", "cookie"))]


def test_the_context_of_a_client_has_no_old_protocols() -> None:
    """TLS 1.0 and 1.1 are not spoken, and names are checked."""
    from cimis.pipeline.service.network import trusting

    context = trusting("https")
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED
