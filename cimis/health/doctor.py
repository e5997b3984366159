"""Look at all that a fetch and a question depend on, and tell of each what to do."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from cimis.opened import Opened

if TYPE_CHECKING:
    from cimis.health.finding import Examination, Finding
    from cimis.pipeline.service.settings import Settings
    from cimis.queries.mirror.mirrors import Keeping

__all__ = ["doctor", "examined"]


def doctor(
    opened: Opened,
    *,
    offline: bool = False,
    app_key: str | None = None,
    base_url: str | None = None,
) -> Examination:
    """Look at key, service, clock, store, read cache and versions, as ``cimis doctor`` does.

    Parameters
    ----------
    offline : bool
        Ask the service nothing; its lines and the clock's then say so.
    app_key, base_url : str, optional
        By default from the environment or the configuration file.

    Returns
    -------
    Examination
        Its ``findings`` are lines with a mark, what was found, and what to do; ``sound`` is
        whether none is a problem. The key is in none of them.
    """
    return examined(opened.root, opened._keeping, app_key, base_url, offline=offline)


def examined(
    root: Path,
    keeping: Keeping | None,
    app_key: str | None = None,
    base_url: str | None = None,
    *,
    offline: bool = False,
) -> Examination:
    """Examine a data directory, which may not be there, and what it stands in.

    Parameters
    ----------
    root : Path
    keeping : Keeping, optional
        How the read cache is kept; by default as the settings say.
    app_key, base_url : str, optional
        As of :func:`doctor`.
    offline : bool
        Make no request: exactly one is made otherwise, and none without a key.
    """
    from cimis.arguments import keeping as kept
    from cimis.health.cache import cache_lines
    from cimis.health.finding import Examination, guarded
    from cimis.health.service import key_lines
    from cimis.health.store import store_lines
    from cimis.health.versions import version_lines
    from cimis.pipeline.service.settings import Settings
    from cimis.pipeline.storage.locations import is_url

    settings: list[Settings] = []

    def load() -> Iterator[Finding]:
        settings.append(Settings.load(app_key=app_key, base_url=base_url))
        return iter(())

    def cache() -> Iterator[Finding]:
        return cache_lines(root, kept(None) if keeping is None else keeping)

    return Examination(
        (
            *guarded("settings", load),
            *(
                line
                for one in settings
                for line in guarded("key", partial(key_lines, one, reads_only=is_url(root)))
            ),
            *(
                line
                for one in settings
                for line in guarded("service", partial(_asked, one, offline=offline))
            ),
            *guarded("store", partial(store_lines, root)),
            *guarded("cache", cache),
            *guarded("versions", version_lines),
        )
    )


def _asked(settings: Settings, *, offline: bool) -> Iterator[Finding]:
    """Tell of service and clock, by the one request."""
    from cimis.health.finding import Finding, Mark
    from cimis.health.service import clock_lines, day_line, probed, service_lines
    from cimis.pipeline.service.settings import AppKey

    unasked = "not asked, as you wished" if offline else None
    if unasked is None and not isinstance(settings.app_key, AppKey):
        unasked = "not asked, as there is no key"
    if unasked is not None:
        told = f"{settings.base_url} ({settings.base_url_source}): {unasked}"
        yield Finding("service", "answer", Mark.SKIPPED, told)
        yield Finding("clock", "offset", Mark.SKIPPED, f"the service was {unasked}")
        yield day_line()
        return
    probe = probed(settings)
    yield from service_lines(settings, probe)
    yield from clock_lines(probe)
