"""A store to be spoiled, an authority of one's own, and an environment that names no proxy."""

from __future__ import annotations

import asyncio
import shutil
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import trustme

from cimis.pipeline.fetch import fetch_async
from cimis.pipeline.service import Settings
from tests.hostile.ways_in import LAST
from tests.ingest.service import KEY, NOW, Service, running, wants

_VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR")


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in _VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture(scope="session")
def _sound_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("hostile") / "data"

    async def main() -> None:
        async with running(Service()) as service:
            settings = Settings(service.base_url, KEY)
            request = wants([2], "2023-12-01", LAST.isoformat())
            assert (await fetch_async(root, request, settings, clock=lambda: NOW)).exit_code == 0

    asyncio.run(main())
    return root


@pytest.fixture
def root(_sound_store: Path, tmp_path: Path) -> Path:
    """A data directory of station 2 until December 2023 and January 2024, to be left as it is."""
    shutil.copytree(_sound_store, tmp_path / "data")
    shutil.rmtree(tmp_path / "data" / "metrics", ignore_errors=True)
    return tmp_path / "data"


@dataclass(frozen=True)
class Authority:
    """An authority, its certificate as a file, and contexts of servers that it vouches for."""

    made: trustme.CA
    file: Path

    def server(self, *names: str, **options: Any) -> ssl.SSLContext:
        """Return a server's context with a certificate for some names."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.made.issue_cert(*(names or ("127.0.0.1",)), **options).configure_cert(context)
        return context


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An authority that nobody trusts unless the environment names it."""
    made = trustme.CA()
    file = tmp_path_factory.mktemp("authority") / "authority.pem"
    made.cert_pem.write_to_path(str(file))
    return Authority(made, file)


@pytest.fixture
def trusted(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """The authority, named in the environment."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    return authority
