"""What a command works on: the data directory and the service that its options name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cimis.cli.showing.output import Output
    from cimis.pipeline.service.settings import Settings
    from cimis.store import Store

__all__ = ["data_root", "opened", "refreshed", "service_settings"]


def data_root(given: str | None) -> Path:
    """Return the data directory: the option, ``CIMIS_DATA_DIR``, the configuration, or ``data``."""
    from cimis.directory import found_at
    from cimis.pipeline.service.settings import resolve

    return found_at(Path(str(resolve("data_dir", given).value)).expanduser())


def service_settings(base_url: str | None, app_key: str | None) -> Settings:
    """Return the service's address and the key, from options, environment or configuration."""
    from cimis.pipeline.service.settings import Settings

    return Settings.load(base_url=base_url, app_key=app_key)


def opened(
    data_dir: str | None, cache: str | None, *, told: Callable[[str], None] | None = None
) -> Store:
    """Open the data directory, with a read cache of the size asked for.

    ``told`` hears what a question waits for, where it has to.
    """
    from cimis.store import open_store

    store = open_store(data_root(data_dir), cache=cache)
    store.told = told
    return store


def refreshed(root: Path, out: Output) -> None:
    """Bring the read cache of what is stored up to date, so that no question has to wait for it.

    What hinders that is told, and hinders nothing else: a question makes it, or does without.
    """
    from contextlib import closing

    from cimis.arguments import keeping
    from cimis.opened import Opened, caught_up
    from cimis.pipeline.errors import CimisError

    failure: str | CimisError | None
    try:
        with closing(Opened(root, keeping(None))) as opened:
            opened.told = out.note
            failure = caught_up(opened)
    except CimisError as error:  # what the configuration says of the cache cannot be meant
        failure = error
    if failure is not None:
        out.warn(f"the read cache was not brought up to date: {failure}")
