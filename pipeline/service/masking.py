"""The key kept out of what is said: of texts, of errors, and of the logs of the libraries below."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TypeVar

from cimis.pipeline.errors import CimisError

__all__ = ["causes", "mask_error", "masked", "quiet_header_logs"]

E = TypeVar("E", bound=CimisError)

_MASK = "****"
_PIECE = 8
"""Characters in a row that tell something of a key: texts in errors are cut anywhere."""

_HEADER_LOGS = {
    "hpack": "WARNING",
    "httpcore.http11": "INFO",
    "httpcore.http2": "INFO",
    "httpx": "WARNING",
}
"""Logs that show headers or the status line, which a service may fill with the key."""


def masked(text: str, key: str) -> str:
    """Return a text in which the key, in any case, and every longer piece of it are masked."""
    text = re.sub(re.escape(key), _MASK, text, flags=re.IGNORECASE)
    own = key.lower()
    pieces = {own[at : at + _PIECE] for at in range(len(own) - _PIECE + 1)}
    low = text.lower()
    if len(low) != len(text) or not any(piece in low for piece in pieces):
        return text
    hidden = [False] * len(text)
    for at in range(len(low) - _PIECE + 1):
        if low[at : at + _PIECE] in pieces:
            hidden[at : at + _PIECE] = [True] * _PIECE
    shown = "".join("\0" if h else c for c, h in zip(text, hidden, strict=True))
    return re.sub("\0+", _MASK, shown)


def mask_error(error: E, key: str) -> E:
    """Return an error of which no text holds the key, its message and arguments among them.

    A key of a few characters is left: it is no secret, and words of ours may hold it.
    """
    if len(key) < _PIECE:
        return error

    for name, value in vars(error).items():
        if isinstance(value, str):
            setattr(error, name, masked(value, key))
    error.args = tuple(masked(a, key) if isinstance(a, str) else a for a in error.args)
    return error


def causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what caused it, each once; of several addresses' failures all."""
    seen: set[int] = set()
    pending: list[BaseException | None] = [error]
    while pending:
        at = pending.pop(0)
        if at is not None and id(at) not in seen:
            seen.add(id(at))
            yield at
            pending += [at.__cause__, at.__context__]
            pending += at.exceptions if isinstance(at, BaseExceptionGroup) else ()


def quiet_header_logs() -> None:
    """Keep the libraries below from logging headers and status lines, in which the key may be."""
    import logging  # a question can spare it

    for name, level in _HEADER_LOGS.items():
        logging.getLogger(name).setLevel(level)
