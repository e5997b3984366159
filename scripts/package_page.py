"""Make the text of the package's page of README.md when a distribution is built.

A page of a package index shows no files beside the README, so links to them would lead nowhere:
their words are kept, and pictures left out. All of them are in the source distribution.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

_PICTURE = re.compile(r"^!\[[^\]]*\]\((?!https?:)[^)]*\)\n", re.MULTILINE)
_LINK = re.compile(r"(?<!!)\[([^\]]*)\]\((?!https?:|#)[^)]*\)")
_DRAWN = "These are of made-up weather; `just pictures` draws them.\n\n"


class PackagePage(MetadataHookInterface):
    """Gives hatchling the field ``readme``."""

    PLUGIN_NAME = "custom"

    def update(self, metadata: dict[str, Any]) -> None:
        """Enter the page's text."""
        text = (Path(self.root) / "README.md").read_text("utf-8")
        metadata["readme"] = {"content-type": "text/markdown", "text": page(text)}


def page(text: str) -> str:
    """Return the README's text without pictures and links that only a checkout has."""
    return _LINK.sub(r"\1", _PICTURE.sub("", text).replace(_DRAWN, ""))
