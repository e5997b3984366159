"""Packages that come with an extra of the installation: there, or told in one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from cimis.pipeline.errors import UsageError

__all__ = ["needing"]


@contextmanager
def needing(extra: str, said: str) -> Iterator[None]:
    """Turn a failed import inside into the error that says which extra to install.

    Parameters
    ----------
    extra : str
        Its name in the package's metadata.
    said : str
        What needs which package; ``{error}`` stands for what the import said.

    Raises
    ------
    UsageError
        When the package is not installed.
    """
    try:
        yield
    except ImportError as error:
        raise UsageError(said.format(error=error), hint=f"pip install 'cimis[{extra}]'") from error
