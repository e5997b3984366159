"""A page saved as a file: whole or not at all."""

from __future__ import annotations

from pathlib import Path

from cimis.pages.page import Page
from cimis.pipeline.errors import UsageError
from cimis.queries.export.replacing import replacing

__all__ = ["MOST_BYTES", "check_name", "save"]

MOST_BYTES = 1_500_000
"""So much a page may have, as mailboxes refuse long mail."""

_SUFFIXES = (".html", ".htm")


def check_name(path: Path) -> None:
    """Refuse a name that is not one of a page, before anything is reckoned.

    Raises
    ------
    UsageError
    """
    if path.suffix.lower() not in _SUFFIXES:
        raise UsageError(
            f"cannot write '{path}': a report is a file of HTML", hint="name it as report.html"
        )


def save(page: Page, path: Path) -> int:
    """Write a page and return its size in bytes.

    Raises
    ------
    UsageError, StoreError
        When the file cannot be written; nothing is left then, and what was there stays.
    """
    from cimis.pages.rendering import rendered

    check_name(path)
    text = rendered(page).encode()
    if len(text) > MOST_BYTES:
        raise UsageError(
            f"the page has {len(text):,} bytes, more than the {MOST_BYTES:,} that can be mailed",
            hint="name fewer stations or days",
        )
    with replacing(path) as stream:
        stream.write(text)
    return len(text)
