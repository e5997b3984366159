"""Who answers over TLS must be who was meant: else a clear line, and no byte of the request."""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from cimis.pipeline.errors import NetworkError, UsageError
from cimis.pipeline.service import CimisClient
from tests.api.raw_server import reply, says
from tests.hostile.bodies import right
from tests.hostile.conftest import Authority
from tests.hostile.servers import answering
from tests.hostile.ways_in import WAYS, refused, settings_of, taken

DAY = dt.timedelta(days=1)
NOW = dt.datetime.now(dt.UTC)


def not_trusted(way: str, context: ssl.SSLContext, root: Path) -> NetworkError:
    """Return the error for a server with this certificate, which was asked nothing."""
    with answering(says(reply(right(way))), tls=context) as server:
        error = refused(way, server.base_url, root)
    assert isinstance(error, NetworkError)
    assert error.kind == "tls"
    assert not error.retryable
    assert server.heads == []
    return error


@pytest.mark.parametrize("way", WAYS)
def test_an_authority_that_the_environment_names_is_trusted(
    way: str, root: Path, trusted: Authority
) -> None:
    with answering(says(reply(right(way))), tls=trusted.server()) as server:
        assert taken(way, server.base_url, root)


@pytest.mark.parametrize("way", WAYS)
def test_one_that_it_does_not_name_is_not(way: str, root: Path, authority: Authority) -> None:
    error = not_trusted(way, authority.server(), root)
    assert "not trusted" in str(error)
    assert "SSL_CERT_FILE" in str(error.hint)


def self_signed(folder: Path) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW - DAY)
        .not_valid_after(NOW + DAY)
        .add_extension(names, critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / "self.pem"
    form = serialization.PrivateFormat.TraditionalOpenSSL
    secret = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    file.write_bytes(secret + made.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


def test_one_that_vouches_for_itself_is_not(root: Path, tmp_path: Path, trusted: Authority) -> None:
    assert "not trusted" in str(not_trusted("streaming", self_signed(tmp_path), root))


WRONG: dict[str, tuple[Callable[[Authority], ssl.SSLContext], str, str]] = {
    "expired": (
        lambda a: a.server("127.0.0.1", not_before=NOW - 9 * DAY, not_after=NOW - DAY),
        "has expired",
        "clock",
    ),
    "to come": (
        lambda a: a.server("127.0.0.1", not_before=NOW + DAY, not_after=NOW + 9 * DAY),
        "not valid yet",
        "clock",
    ),
    "of another address": (lambda a: a.server("127.0.0.2"), "another address's", "base URL"),
    "of a host": (lambda a: a.server("cimis.test"), "another address's", "base URL"),
}


@pytest.mark.parametrize("name", WRONG)
@pytest.mark.parametrize("way", ["streaming", "stations"])
def test_a_certificate_of_a_trusted_authority_must_be_right(
    way: str, name: str, root: Path, trusted: Authority
) -> None:
    """Expired, not begun, another's: each in its own words, with what to do."""
    context, said, hint = WRONG[name]
    error = not_trusted(way, context(trusted), root)
    assert said in str(error)
    assert hint in str(error.hint)


def test_a_certificate_of_another_host_is_refused(
    root: Path, trusted: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    with answering(says(reply()), tls=trusted.server("evil.test")) as server:
        base_url = server.base_url.replace("127.0.0.1", "localhost")
        error = refused("streaming", base_url, root)
    assert "another host's" in str(error)
    assert server.heads == []


def test_old_protocols_are_not_spoken(root: Path, trusted: Authority) -> None:
    context = trusted.server()
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings(action="ignore"):  # Python has given them up too
        context.maximum_version = ssl.TLSVersion.TLSv1_1
        context.minimum_version = ssl.TLSVersion.TLSv1
    with answering(says(reply()), tls=context) as server:
        error = refused("streaming", server.base_url, root)
    assert isinstance(error, NetworkError)
    assert server.heads == []


def test_a_folder_of_authorities_is_read(
    root: Path, authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As OpenSSL names its files: by a hash of the authority's name."""
    made = subprocess.run(
        ["openssl", "x509", "-hash", "-noout", "-in", str(authority.file)],
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode:
        pytest.skip("no openssl here to name the files of a folder")
    folder = tmp_path / "authorities"
    folder.mkdir()
    (folder / f"{made.stdout.strip()}.0").write_bytes(authority.file.read_bytes())
    monkeypatch.setenv("SSL_CERT_DIR", str(folder))
    with answering(says(reply(right("stations"))), tls=authority.server()) as server:
        assert taken("stations", server.base_url, root)
        monkeypatch.setenv("SSL_CERT_FILE", str(other_authority(tmp_path)))
        assert taken("stations", server.base_url, root)  # both count


def other_authority(folder: Path) -> Path:
    file = folder / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(file))
    return file


def test_naming_another_authority_does_not_help(
    root: Path, authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(other_authority(tmp_path)))
    assert "not trusted" in str(not_trusted("streaming", authority.server(), root))


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_certificates_that_are_not_there_are_told(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, str(tmp_path / "absent"))
    with pytest.raises(UsageError, match=f"{name} names .*absent, which does not exist"):
        CimisClient(settings_of("https://127.0.0.1:9"))


@pytest.mark.parametrize("text", ["", "no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n"])
def test_certificates_that_are_none_are_told(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bad.pem").write_text(text)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "bad.pem"))
    with pytest.raises(UsageError, match="no certificates that can be read"):
        CimisClient(settings_of("https://127.0.0.1:9"))


def test_http_asks_for_no_certificates(monkeypatch: pytest.MonkeyPatch) -> None:
    """The embedded server runs where the environment's certificates are broken."""
    monkeypatch.setenv("SSL_CERT_FILE", "/absent")
    CimisClient(settings_of("http://127.0.0.1:9"))


def test_a_command_says_it_in_a_line(authority: Authority, tmp_path: Path) -> None:
    """A process of its own, with its own exit code: no traceback, nothing on the output."""
    import os

    with answering(says(reply()), tls=authority.server()) as server:
        done = subprocess.run(
            [sys.executable, "-m", "cimis", "stations", "--refresh", "--data-dir", str(tmp_path)],
            env=os.environ | {"CIMIS_BASE_URL": server.base_url, "CIMIS_APP_KEY": "demo-key"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 6
    assert done.stdout == ""
    assert "certificate is not trusted" in done.stderr
    assert "SSL_CERT_FILE" in done.stderr
    assert "Traceback" not in done.stderr
