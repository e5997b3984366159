"""A local S3 server that counts, and a store to publish."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from cimis.pipeline.storage import _made
from cimis.store import Store, open_store
from tests.cli.conftest import typed
from tests.queries.conftest import Network, network

__all__ = ["S3", "Place", "network", "typed"]

SECRET = "very-secret-key-of-the-test"


@dataclass
class S3:
    """A server of S3's, and what was asked of it: method, path, bytes answered."""

    url: str
    client: Any
    asked: list[tuple[str, str, int]] = field(default_factory=list)

    @contextmanager
    def counted(self) -> Iterator[list[tuple[str, str, int]]]:
        """Yield what is asked meanwhile."""
        before = len(self.asked)
        seen: list[tuple[str, str, int]] = []
        yield seen
        seen += self.asked[before:]


class _Counting:
    """Passes requests on, and notes them with the bytes of their answers."""

    def __init__(self, app: Any, asked: list[tuple[str, str, int]]) -> None:
        self._app = app
        self._asked = asked

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        body = b"".join(self._app(environ, start))
        self._asked.append((environ["REQUEST_METHOD"], environ["PATH_INFO"], len(body)))
        return [body]


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3]:
    import boto3
    from werkzeug.serving import make_server

    asked: list[tuple[str, str, int]] = []
    moto: Any = import_module("moto.server")
    app = _Counting(moto.DomainDispatcherApplication(moto.create_backend_app), asked)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}"
    client = boto3.client(
        "s3",
        endpoint_url=url,
        aws_access_key_id="test",
        aws_secret_access_key=SECRET,
        region_name="us-east-1",
    )
    client.create_bucket(Bucket="stores")
    yield S3(url, client, asked)
    server.shutdown()
    thread.join()
    server.server_close()
    client.close()


@pytest.fixture
def s3(s3_server: S3, monkeypatch: pytest.MonkeyPatch) -> S3:
    """The server, as this process and those that it starts find it."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_server.url)
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    return s3_server


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Return what makes this process another machine, on which nothing is kept yet."""

    def become(name: str) -> Path:
        cache = tmp_path / f"cache-{name}"
        monkeypatch.setenv("CIMIS_CACHE_DIR", str(cache))
        _made.cache_clear()
        return cache

    become("first")
    return become


@dataclass
class Place:
    """Where a test publishes: a prefix of a bucket, or a folder."""

    url: str
    read: Callable[[str], bytes]
    write: Callable[[str, bytes], None]
    delete: Callable[[str], None]
    names: Callable[[], list[str]]


def prefix_of(s3: S3) -> Place:
    prefix = f"p{uuid.uuid4().hex[:12]}"
    place: dict[str, Any] = {"Bucket": "stores"}

    def names() -> list[str]:
        pages = s3.client.get_paginator("list_objects_v2").paginate(**place, Prefix=f"{prefix}/")
        keys = [one["Key"] for page in pages for one in page.get("Contents", ())]
        return sorted(key.removeprefix(f"{prefix}/") for key in keys)

    def read(name: str) -> bytes:
        found = s3.client.get_object(**place, Key=f"{prefix}/{name}")["Body"].read()
        assert isinstance(found, bytes)
        return found

    return Place(
        f"s3://stores/{prefix}",
        read,
        lambda name, data: s3.client.put_object(**place, Key=f"{prefix}/{name}", Body=data),
        lambda name: s3.client.delete_object(**place, Key=f"{prefix}/{name}"),
        names,
    )


def folder_of(root: Path) -> Place:
    def write(name: str, data: bytes) -> None:
        (root / name).write_bytes(data)

    return Place(
        str(root),
        lambda name: (root / name).read_bytes(),
        write,
        lambda name: (root / name).unlink(),
        lambda: sorted(
            path.relative_to(root).as_posix()
            for path in root.rglob("*")
            if path.is_file() and ".locks" not in path.parts
        ),
    )


@pytest.fixture(params=["s3", "folder"])
def place(request: pytest.FixtureRequest, tmp_path: Path, machine: Callable[[str], Path]) -> Place:
    """A place that nothing was published to."""
    if request.param == "folder":
        return folder_of(tmp_path / "published")
    return prefix_of(request.getfixturevalue("s3"))


@pytest.fixture
def bucket(s3: S3, machine: Callable[[str], Path]) -> Place:
    """A prefix of a bucket that nothing was published to."""
    return prefix_of(s3)


@pytest.fixture
def published(network: Network, place: Place) -> Place:
    """A place that the network was published to."""
    with open_store(network.root) as store:
        store.publish(place.url)
    return place


@pytest.fixture
def afar(published: Place) -> Iterator[Store]:
    """The published network, opened where it lies."""
    with open_store(published.url) as store:
        yield store
