"""What the client calls itself to a service."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

import httpx

__all__ = ["user_agent"]


def user_agent() -> str:
    """Return the ``User-Agent`` header: cimis, Python and the HTTP library, with their versions."""
    try:
        own = version("cimis")
    except PackageNotFoundError:
        own = "0"
    return f"cimis/{own} (Python {platform.python_version()}; httpx {httpx.__version__})"
