"""Locations as people write them: paths of the local disk, and URLs."""

from __future__ import annotations

from pathlib import Path

from cimis.pipeline.storage import SCHEMES

__all__ = ["anywhere", "is_url", "location_of", "url_of"]


def is_url(location: Path) -> bool:
    """Tell whether a location is a URL's, as that of a published store."""
    scheme, colon, _ = location.as_posix().partition(":/")
    return bool(colon) and scheme in SCHEMES


def location_of(text: str | Path) -> Path:
    """Return the location of a URL; of a path of the local disk that of its ``file://`` URL."""
    location = Path(text)
    if not is_url(location):
        location = Path(f"file:{location.expanduser().absolute().as_posix()}")
    return location


def anywhere(location: Path) -> Path:
    """Return a location as another folder or machine finds it: a whole path, or the URL's."""
    return location if is_url(location) else location.absolute()


def url_of(location: Path) -> str:
    """Return a location as people write it: its URL, or the path of the local disk."""
    if not is_url(location):
        return str(location)
    scheme, _, rest = location.as_posix().partition(":/")
    return f"{scheme}:///{rest}" if scheme == "file" else f"{scheme}://{rest}"
