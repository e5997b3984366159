"""What a command works on: the data directory and the service that its options name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cimis.store import Store
    from pipeline.api.settings import Settings

__all__ = ["data_root", "opened", "service_settings"]


def data_root(given: str | None) -> Path:
    """Return the data directory: the option, ``CIMIS_DATA_DIR``, the configuration, or ``data``."""
    from pipeline.api.settings import resolve

    return Path(str(resolve("data_dir", given).value)).expanduser()


def service_settings(base_url: str | None, app_key: str | None) -> Settings:
    """Return the service's address and the key, from options, environment or configuration."""
    from pipeline.api.settings import Settings

    return Settings.load(base_url=base_url, app_key=app_key)


def opened(data_dir: str | None, cache: str | None) -> Store:
    """Open the data directory, with a read cache of the size asked for."""
    from cimis.store import open_store

    return open_store(data_root(data_dir), cache=cache)
