"""What every test may ask for: the real data beside the project, and a quiet environment."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

from tests.installed import Installed, install

settings.register_profile("cimis", deadline=None)  # a busy machine is no fault
settings.load_profile("cimis")
SHARED = Path(__file__).resolve().parents[2] / "shared"


def _shared(*parts: str) -> Path:
    folder = SHARED.joinpath(*parts)
    if not folder.exists():
        pytest.skip(
            f"real data is absent: no {folder.relative_to(SHARED.parent)} beside the project"
        )
    return folder


@pytest.fixture(scope="session")
def real() -> Path:
    """Folder of real responses and archives; the test skips where it is absent."""
    return _shared("real")


@pytest.fixture(scope="session")
def v1_golden() -> Path:
    """Folder of V1 chunks by the older program; the test skips where it is absent."""
    return _shared("v1-golden")


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """cimis installed from a wheel, without a checkout."""
    return install(tmp_path_factory.mktemp("installed"))


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a certificate for loopback, with its key and its authority, as one file.

    Servers load it; a client trusts it only where ``SSL_CERT_FILE`` names it.
    """
    import trustme

    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1", "localhost")
    whole = tmp_path_factory.mktemp("tls") / "both.pem"
    whole.write_bytes(issued.private_key_and_cert_chain_pem.bytes() + authority.cert_pem.bytes())
    return whole


@pytest.fixture(autouse=True)
def _quiet_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the user's own settings out: no key, no base URL, no configuration file.

    It makes no folder: each would be found again among all others, for thousands of tests.
    """
    kept_out = ("APP_KEY", "APP_KEY_FILE", "BASE_URL", "DATA_DIR", "CACHE")
    for name in (f"CIMIS_{setting}" for setting in kept_out):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CIMIS_CONFIG", str(Path(__file__).parent / "absent" / "config.toml"))
