"""A report as users get it: a page, what it lacks, and the file that it is saved as."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from cimis.arguments import path_of
from cimis.pages.page import Page
from cimis.pipeline.lacks import Lacks

__all__ = ["Report"]


@dataclass(frozen=True, slots=True)
class Report:
    """A page of reckoned figures.

    Attributes
    ----------
    page : Page
    lacks : Lacks
        What the stored rows are short of; the page says so too.
    notes : tuple of str
        What was left out.
    stations : tuple of int
        Those that it shows, where they are named.
    """

    page: Page
    lacks: Lacks
    notes: tuple[str, ...] = ()
    stations: tuple[int, ...] = ()

    def html(self) -> str:
        """Return the page as one file of HTML, which asks no network for anything."""
        from cimis.pages.rendering import rendered

        return rendered(self.page)

    def save(self, path: str | os.PathLike[str]) -> int:
        """Save the page as a file whose name ends in ``.html``; return its bytes.

        Raises
        ------
        UsageError, StoreError
            When that cannot be written; nothing is left then, and what was there stays.
        """
        from cimis.pages.saving import save

        return save(self.page, Path(path_of(path)))
