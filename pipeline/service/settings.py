"""Which service to ask and with which key: argument, environment, files, default."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from cimis.pipeline.errors import AuthError, UsageError
from cimis.pipeline.service.masking import masked

__all__ = [
    "DEFAULT_BASE_URL",
    "KEY_FILE",
    "NAMES",
    "AppKey",
    "Setting",
    "Settings",
    "config_path",
    "resolve",
]

DEFAULT_BASE_URL = "https://et.water.ca.gov"

NAMES: dict[str, tuple[str, str | None]] = {
    "app_key": ("CIMIS_APP_KEY", None),
    "base_url": ("CIMIS_BASE_URL", DEFAULT_BASE_URL),
    "data_dir": ("CIMIS_DATA_DIR", "data"),
    "cache": ("CIMIS_CACHE", None),
    "cache_dir": ("CIMIS_CACHE_DIR", None),
}
"""Every setting, with its environment variable and its default."""

KEY_FILE = "CIMIS_APP_KEY_FILE"
"""Environment variable that names a file with the key alone, as container engines mount secrets."""

_KEY_HINT = (
    "give it with CIMIS_APP_KEY, in a file that CIMIS_APP_KEY_FILE names, as app_key in the "
    "configuration file, or with --app-key; "
    "keys are free, from an account at cimis.water.ca.gov"
)


class AppKey:
    """An API key that shows itself only when asked to: its text and repr are masked.

    Raises
    ------
    UsageError
        For a key that cannot stand in an HTTP header; the message does not show it.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        if not re.fullmatch(r"[\x21-\x7e]+", text):
            raise UsageError(
                "the API key is empty or holds blanks, line ends or other signs that no key has",
                hint="copy it again from the account page",
            )
        self._text = text

    def reveal(self) -> str:
        """Return the key itself, for the request's header only."""
        return self._text

    def scrub(self, text: str) -> str:
        """Return a text in which the key, should it or a longer piece of it occur, is masked."""
        return masked(text, self._text)

    def __str__(self) -> str:
        return "****"

    __repr__ = __str__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AppKey) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)


class Setting(NamedTuple):
    """One setting's value and where it comes from; the API key is already wrapped."""

    name: str
    value: str | AppKey | None
    source: str


def config_path(environment: Mapping[str, str] | None = None) -> Path:
    """Return the configuration file's place: ``CIMIS_CONFIG``, or the user's own folder."""
    environment = os.environ if environment is None else environment
    if named := environment.get("CIMIS_CONFIG"):
        return Path(named).expanduser()
    system: str = sys.platform
    if system == "linux":
        # what platformdirs says there, without its import: every question asks for settings
        folder = environment.get("XDG_CONFIG_HOME", "").strip() or "~/.config"
        return Path(os.path.expanduser(folder)) / "cimis" / "config.toml"  # noqa: PTH111 -- as is
    from platformdirs import user_config_path

    return user_config_path("cimis", appauthor=False) / "config.toml"


def _read_config(path: Path) -> dict[str, str]:
    """Return the settings of a configuration file, none where there is no file."""
    if path.parts[:1] == ("~",):  # the user has no home folder
        return {}
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read the configuration file {path}: {_said(error)}") from error
    import tomllib

    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        # the parser's message may quote the line, and with it the key
        place = re.search(r"\(at [^)]*\)", str(error))
        raise UsageError(
            f"the configuration file {path} is not TOML {place[0] if place else ''}".rstrip(),
            hint='write lines such as app_key = "..."',
        ) from None
    for name, value in found.items():
        if name not in NAMES:
            raise UsageError(
                f"the configuration file {path} has the unknown setting '{name}'",
                hint=f"known are {', '.join(NAMES)}",
            )
        if not isinstance(value, str):
            raise UsageError(
                f"the setting '{name}' in {path} must be text", hint=f'write {name} = "..."'
            )
    return found


def _read_key(path: Path) -> str:
    """Return the key of a file that holds nothing else."""
    try:
        text = path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"cannot read the key's file {path}: {_said(error)}",
            hint=f"{KEY_FILE} names it; let the user who runs cimis read it",
        ) from None
    if not text:
        raise UsageError(
            f"the key's file {path} is empty", hint="write the key into it, and nothing else"
        )
    return text


def _said(error: OSError | UnicodeDecodeError) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else "it is not UTF-8"


def resolve(
    name: str,
    given: str | None = None,
    *,
    environment: Mapping[str, str] | None = None,
    config: Path | None = None,
) -> Setting:
    """Return one setting with its source, the first of argument, environment, file, default.

    A key may also stand alone in a file that `KEY_FILE` names; it goes before the configuration's.

    Parameters
    ----------
    name : str
        One of `NAMES`.
    given : str, optional
        The argument, as from the command line.
    environment : mapping, optional
        By default the process's own.
    config : pathlib.Path, optional
        The configuration file, by default `config_path`.

    Raises
    ------
    UsageError
        For a configuration file that cannot be read or holds an unknown setting, and for a key
        that cannot be one.
    """
    environment = os.environ if environment is None else environment
    path = config or config_path(environment)
    variable, default = NAMES[name]
    in_file = _read_config(path)
    text: str | None
    if given is not None:
        text, source = given, "argument"
    elif environment.get(variable):
        text, source = environment[variable], f"environment {variable}"
    elif name == "app_key" and (file := environment.get(KEY_FILE)):
        text, source = _read_key(Path(file).expanduser()), f"file {file}"
    elif name in in_file:
        text, source = in_file[name], f"file {path}"
    else:
        text, source = default, "default" if default is not None else "not set"
    if name == "app_key" and text is not None:
        return Setting(name, AppKey(text.strip()), source)
    return Setting(name, text, source)


def _checked_url(text: str, source: str) -> str:
    """Return a base URL without its last slash; refuse what is not one, or could hold a key."""
    text = text.strip()
    from urllib.parse import urlsplit  # a query needs no address

    try:
        parts = urlsplit(text)
        port_is_valid = parts.port is None or parts.port > 0
    except ValueError:
        parts, port_is_valid = urlsplit(""), False
    if "?" in text or "#" in text or "@" in parts.netloc:
        raise UsageError(
            f"the base URL ({source}) may hold only scheme, host, port and path: "
            f"{parts.scheme}://{parts.hostname or ''}...",
            hint="the key goes into a header, never into a URL; " + _KEY_HINT,
        )
    odd = re.search(r"[\x00-\x20\x7f\\]", text)  # a line's end would begin another header
    if odd or parts.scheme not in ("http", "https") or not parts.hostname or not port_is_valid:
        raise UsageError(
            f"{text!r} ({source}) is not a base URL", hint=f"write one such as {DEFAULT_BASE_URL}"
        )
    if parts.scheme == "http" and parts.hostname.endswith(".ca.gov"):
        raise UsageError(
            f"the base URL ({source}) would send the key unencrypted to {parts.hostname}",
            hint=f"write https://{parts.hostname}",
        )
    return text.rstrip("/")


@dataclass(frozen=True, slots=True)
class Settings:
    """The service's address and the key, each with its source.

    Parameters
    ----------
    base_url : str
        Scheme, host, port and perhaps a path.
    app_key : AppKey or str, optional
        The API key; a text is wrapped at once.

    Raises
    ------
    UsageError
        For a base URL that is none, has a query, or would carry the key unencrypted to the
        live service.
    """

    base_url: str = DEFAULT_BASE_URL
    app_key: AppKey | str | None = None
    base_url_source: str = "argument"
    app_key_source: str = "argument"

    def __post_init__(self) -> None:
        url = _checked_url(self.base_url, self.base_url_source)
        object.__setattr__(self, "base_url", url)
        if isinstance(self.app_key, str):
            object.__setattr__(self, "app_key", AppKey(self.app_key.strip()))

    @classmethod
    def load(
        cls,
        *,
        base_url: str | None = None,
        app_key: str | None = None,
        environment: Mapping[str, str] | None = None,
        config: Path | None = None,
    ) -> Settings:
        """Return the settings from arguments, environment, configuration file and defaults."""
        url = resolve("base_url", base_url, environment=environment, config=config)
        key = resolve("app_key", app_key, environment=environment, config=config)
        return cls(str(url.value), key.value, url.source, key.source)

    def key(self) -> AppKey:
        """Return the key.

        Raises
        ------
        AuthError
            When there is none; the hint says where one can be given.
        """
        if not isinstance(self.app_key, AppKey):
            raise AuthError("no API key is set", hint=_KEY_HINT)
        return self.app_key
