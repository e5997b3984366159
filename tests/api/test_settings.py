"""Settings come from argument, environment, file and default in that order; keys stay hidden."""

from __future__ import annotations

import pickle
import sys
from pathlib import Path

import platformdirs
import pytest

from cimis.pipeline.errors import AuthError, UsageError
from cimis.pipeline.service.settings import AppKey, Settings, config_path, resolve

KEY = "k3y-that-must-stay-hidden"


def config(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(text, "utf-8")
    return path


def test_the_first_of_argument_environment_file_and_default_wins(tmp_path: Path) -> None:
    """Each source is taken where those before it say nothing, and is named."""
    path = config(tmp_path, 'base_url = "http://file"\napp_key = "from-file"\n')
    environment = {"CIMIS_BASE_URL": "http://environment", "CIMIS_APP_KEY": "from-environment"}
    absent = tmp_path / "absent.toml"

    full = Settings.load(
        base_url="http://argument", app_key="from-argument", environment=environment, config=path
    )
    assert (full.base_url, full.base_url_source) == ("http://argument", "argument")
    assert full.key().reveal() == "from-argument"

    without = Settings.load(environment=environment, config=path)
    assert without.base_url == "http://environment"
    assert without.base_url_source == "environment CIMIS_BASE_URL"
    assert without.key().reveal() == "from-environment"

    filed = Settings.load(environment={}, config=path)
    assert (filed.base_url, filed.base_url_source) == ("http://file", f"file {path}")
    assert filed.key().reveal() == "from-file"

    bare = Settings.load(environment={}, config=absent)
    assert (bare.base_url, bare.base_url_source) == ("https://et.water.ca.gov", "default")
    assert bare.app_key is None


def test_a_file_of_its_own_gives_the_key(tmp_path: Path) -> None:
    """Before the configuration file, after the environment; line ends do not count."""
    path = config(tmp_path, 'app_key = "from-file"\n')
    secret = tmp_path / "app-key"
    secret.write_text(f"{KEY}\n")
    named = {"CIMIS_APP_KEY_FILE": str(secret)}
    settings = Settings.load(environment=named, config=path)
    assert settings.key().reveal() == KEY
    assert settings.app_key_source == f"file {secret}"
    both = Settings.load(environment={**named, "CIMIS_APP_KEY": "from-environment"}, config=path)
    assert both.key().reveal() == "from-environment"


@pytest.mark.parametrize("made", ["absent", "empty", "binary", "folder"])
def test_a_key_file_that_gives_none_is_refused_by_name(made: str, tmp_path: Path) -> None:
    secret = tmp_path / "app-key"
    if made == "folder":
        secret.mkdir()
    elif made != "absent":
        secret.write_bytes({"empty": b"\n", "binary": b"\xff\xfe"}[made])
    environment = {"CIMIS_APP_KEY_FILE": str(secret)}
    with pytest.raises(UsageError, match=r"key's file .*app-key"):
        Settings.load(environment=environment, config=tmp_path / "none.toml")


def test_the_environment_of_the_process_and_its_file_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = config(tmp_path, f'app_key = "{KEY}"')
    monkeypatch.setenv("CIMIS_CONFIG", str(path))
    monkeypatch.setenv("CIMIS_BASE_URL", "http://127.0.0.1:8000/")
    settings = Settings.load()
    assert settings.base_url == "http://127.0.0.1:8000"
    assert settings.key() == AppKey(KEY)
    assert resolve("data_dir").source == "default"


def test_without_a_named_file_the_users_own_folder_is_looked_into() -> None:
    assert config_path({}).parts[-2:] == ("cimis", "config.toml")


def test_a_missing_key_says_where_one_can_be_given() -> None:
    with pytest.raises(AuthError, match="no API key") as caught:
        Settings.load().key()
    assert caught.value.exit_code == 5
    assert "CIMIS_APP_KEY" in str(caught.value.hint)
    assert "--app-key" in str(caught.value.hint)


def test_the_key_is_masked_wherever_it_is_shown() -> None:
    settings = Settings("http://127.0.0.1", KEY)
    shown = [str(settings), repr(settings), f"{settings.app_key}", str(resolve("app_key", KEY))]
    assert all(KEY not in text and "****" in text for text in shown)
    assert settings.key().scrub(f"<{KEY}>") == "<****>"


def test_equal_keys_are_equal() -> None:
    assert AppKey(KEY) == AppKey(KEY) != AppKey("other")
    assert len({AppKey(KEY), AppKey(KEY)}) == 1


@pytest.mark.parametrize("text", ["", "two words", "line\nend", "ümlaut", "tab\t"])
def test_what_cannot_be_a_key_is_refused_without_showing_it(text: str) -> None:
    with pytest.raises(UsageError, match="API key") as caught:
        AppKey(text)
    assert not text or text not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        f"https://et.water.ca.gov/?appKey={KEY}",
        f"https://et.water.ca.gov/#{KEY}",
        f"https://user:{KEY}@et.water.ca.gov",
    ],
)
def test_a_base_url_that_could_hold_a_key_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(UsageError, match="may hold only") as caught:
        Settings(url, KEY)
    assert KEY not in str(caught.value) + str(caught.value.hint)


@pytest.mark.parametrize(
    "url", ["et.water.ca.gov", "ftp://et.water.ca.gov", "https://", "http://h:99999", "http://h:x"]
)
def test_what_is_not_a_base_url_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="is not a base URL") as caught:
        Settings(url)
    assert "https://et.water.ca.gov" in str(caught.value.hint)


def test_the_key_does_not_go_unencrypted_to_the_live_service() -> None:
    with pytest.raises(UsageError, match="unencrypted") as caught:
        Settings("http://et.water.ca.gov", KEY)
    assert caught.value.hint == "write https://et.water.ca.gov"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f'appkey = "{KEY}"', "unknown setting 'appkey'"),
        ("app_key = 5", "must be text"),
        (f"app_key = {KEY}", "not TOML"),
        (f'[service]\napp_key = "{KEY}"', "unknown setting 'service'"),
    ],
)
def test_a_wrong_file_is_refused_without_showing_the_key(
    tmp_path: Path, text: str, said: str
) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        Settings.load(config=config(tmp_path, text))
    assert KEY not in str(caught.value) + str(caught.value.hint)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("kind", ["folder", "latin-1"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "config.toml"
    if kind == "folder":
        path.mkdir()
    else:
        path.write_bytes(b'app_key = "\xe9"')
    with pytest.raises(UsageError, match="cannot read"):
        Settings.load(config=path)


def test_settings_survive_being_sent_to_another_process() -> None:
    settings = Settings("http://127.0.0.1", KEY)
    assert pickle.loads(pickle.dumps(settings)) == settings


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere platformdirs itself is asked")
@pytest.mark.parametrize("folder", [None, "/somewhere/else", ""])
def test_the_configuration_lies_where_the_platform_keeps_them(
    folder: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if folder is None:
        monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    else:
        monkeypatch.setenv("XDG_CONFIG_HOME", folder)
    monkeypatch.delenv("CIMIS_CONFIG", raising=False)
    expected = platformdirs.user_config_path("cimis", appauthor=False) / "config.toml"
    assert config_path() == expected
