"""No text of the user's or the environment's becomes a header, a path or a host of its own."""

from __future__ import annotations

import asyncio
import datetime as dt
from pathlib import Path

import pytest

from cimis.pipeline.errors import UsageError
from cimis.pipeline.field.items import Scope, resolve
from cimis.pipeline.field.site import number_of_target
from cimis.pipeline.field.targets import Naming, address_target, coordinate_target, zip_target
from cimis.pipeline.plan.windows import Window
from cimis.pipeline.service import CimisClient, Settings
from tests.api.raw_server import KEY, reply, says
from tests.hostile.bodies import right
from tests.hostile.servers import answering
from tests.hostile.ways_in import refused, settings_of

BREAKS = ("\r\n", "\n", "\r", "\x00", "\x0b", "\u2028", "\x85", "\u560d\u560a")
"""Line ends of headers and of texts, and characters that end in a line end's bytes."""


@pytest.mark.parametrize("line_end", BREAKS)
def test_no_key_begins_another_header(line_end: str) -> None:
    for key in (f"key{line_end}X-Evil: 1", f"key{line_end}{line_end}GET / HTTP"):
        with pytest.raises(UsageError) as caught:
            Settings("http://127.0.0.1:9", key)
        assert "evil" not in f"{caught.value!r} {caught.value.hint}".lower()


@pytest.mark.parametrize("key", ["", " ", "two words", "kéy", "key\t", "a" * 10 + "\x7f"])
def test_a_key_that_no_header_can_hold_is_refused(key: str) -> None:
    if key == "key\t":
        assert Settings("http://127.0.0.1:9", key).key().reveal() == "key"
        return
    with pytest.raises(UsageError):
        Settings("http://127.0.0.1:9", key)


BASES = (
    "http://h\r\nX-Evil: 1",
    "http://h\nevil",
    "http://h/\x00",
    "http://h /",
    "http://[bad",
    "http://[::1",
    "http://h:port",
    "http://h:99999",
    "http://h\\@evil",
    "http://user:pw@h",
    "http://h?appKey=1",
    "http://h#frag",
    "http://",
    "http:///path",
    "//h",
    "file:///etc/passwd",
    "ftp://h",
    "javascript:alert(1)",
    "http://et.water.ca.gov",
    "HTTP://ET.WATER.CA.GOV",
)


@pytest.mark.parametrize("base_url", BASES)
def test_a_base_url_that_is_none_is_refused(base_url: str) -> None:
    with pytest.raises(UsageError) as caught:
        Settings(base_url, KEY)
    assert str(caught.value).isprintable()
    assert "pw@" not in str(caught.value)


@pytest.mark.parametrize("host", ["\u2028x", "a" * 64 + "\u00fc" * 60, "\ufdd0"])
def test_a_host_that_none_can_be_is_refused(host: str) -> None:
    with pytest.raises(UsageError, match="host"):
        CimisClient(Settings(f"http://{host}", KEY))


@pytest.mark.parametrize("line_end", BREAKS[:5])
def test_no_target_holds_a_line_end(line_end: str) -> None:
    for make in (address_target, coordinate_target, zip_target):
        for text in (
            f"HQ=1 St{line_end}X: y",
            f"36.8,-119.7{line_end}X: y",
            f"93624{line_end}X: y",
        ):
            with pytest.raises(UsageError):
                make(text)


STREETS = (
    "1 A St & B St?x#y",
    "1 A St%0d%0aX: y",
    "1 Á Street, +50%",
    "1 St /../../x",
    "1 St \u2028",
)


@pytest.mark.parametrize("street", STREETS)
def test_a_targets_text_stays_one_parameter(street: str) -> None:
    """The service gets it back letter for letter; the request has no line or parameter more."""
    from urllib.parse import parse_qs, urlsplit

    target = address_target(f"HQ={street}")
    items = tuple(resolve(["day-asce-eto"], Scope.DAILY))
    day = dt.date(2024, 1, 1)
    window = Window((number_of_target(0),), Scope.DAILY, day, day, items, Naming((target,)))

    async def main(base_url: str) -> None:
        async with CimisClient(settings_of(base_url)) as client, client.data(window) as response:
            assert response.status == 200

    with answering(says(reply(right("streaming")))) as server:
        asyncio.run(main(server.base_url))
    line, *headers = server.heads[0].split("\r\n")
    assert len(line.split(" ")) == 3
    asked = urlsplit(line.split(" ")[1])
    assert asked.path == "/SpatialWeb/GetDataByAddresses"
    query = parse_qs(asked.query, strict_parsing=True)
    assert query["addresses"] == [f"addr-name=HQ,addr={street.strip()}"]
    assert set(query) == {"addresses", "startDate", "endDate", "unitOfMeasure", "dataItems"}
    names = {header.partition(":")[0].lower() for header in headers if header}
    assert names == {
        *("host", "accept", "accept-encoding", "user-agent", "connection"),
        "ocp-apim-subscription-key",
    }


def test_no_header_of_an_answer_goes_into_a_request(root: Path) -> None:
    """Whatever an answer asks for: authentication, another protocol, another host, a cookie."""
    odd = (
        "WWW-Authenticate: Basic realm=x",
        "Proxy-Authenticate: Basic realm=x",
        "Upgrade: h2c",
        'Alt-Svc: h2="127.0.0.1:9"',
        "Link: <http://127.0.0.1:9>; rel=next",
        "Strict-Transport-Security: max-age=1",
        "Clear-Site-Data: *",
    )
    with answering(says(reply(b"", status="401 Denied", headers=odd))) as server:
        refused("streaming", server.base_url, root)
        refused("streaming", server.base_url, root)
    first, second = server.heads
    assert first == second
    assert "authorization" not in first.lower()
