"""The text around the records: an incremental, strict walk to each ``Records`` array."""

from __future__ import annotations

import json
import re
from enum import Enum, auto
from typing import NoReturn

from cimis.pipeline.errors import DecodeError

__all__ = ["MAX_DEPTH", "Envelope", "Event"]

MAX_DEPTH = 64
"""Deepest nesting that is followed."""

_STRING = rb'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+"'
_NUMBER = rb"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?(?=[ \t\r\n,\]}])"
_TOKEN = re.compile(rb"([{}\[\]:,])|(%b)|(%b|true|false|null)" % (_STRING, _NUMBER))
_BLANK = re.compile(rb"[ \t\r\n]*+")

_WAY = (("{", "Data"), ("{", "Providers"), ("[", None), ("{", "Records"))
_KIND = {"Data": "{", "Providers": "[", "Records": "["}
_SAID = frozenset(("message", "error", "errorcode", "code", "statuscode"))


class Event(Enum):
    """Why the walk stopped."""

    MORE = auto()
    RECORDS = auto()


class _Due(Enum):
    VALUE = auto()
    FIRST_VALUE = auto()
    KEY = auto()
    FIRST_KEY = auto()
    COLON = auto()
    COMMA = auto()
    NOTHING = auto()


class Envelope:
    """A pushdown walk over everything outside the ``Records`` arrays.

    Attributes
    ----------
    done : bool
        Whether the body's one value has ended.
    providers : int
        Providers met so far.
    """

    def __init__(self) -> None:
        self.providers = 0
        self._open: list[list[str | None]] = []
        self._keys: list[set[str]] = []
        self._due = _Due.VALUE
        self._said: list[str] = []
        self._way = 0  # open containers, from the outermost, that lead to the records

    @property
    def done(self) -> bool:
        """Whether the body's one value has ended."""
        return self._due is _Due.NOTHING

    def walk(self, data: bytes, position: int, base: int) -> tuple[int, Event]:
        """Go on from a position until the bytes run out or a ``Records`` array opens.

        Parameters
        ----------
        data : bytes
            A window of the body.
        position : int
            Where to start in it.
        base : int
            Byte offset of the window in the body, for errors.

        Returns
        -------
        tuple of int and Event
            The position behind the last whole token, and what stopped the walk.
        """
        while True:
            position = _BLANK.match(data, position).end()  # type: ignore[union-attr]  # matches ""
            if position >= len(data):
                return position, Event.MORE
            found = _TOKEN.match(data, position)
            if found is None:
                self._check_start(data, position, base)
                return position, Event.MORE
            if self._take(found, base):
                return found.end(), Event.RECORDS
            position = found.end()

    def records_ended(self) -> None:
        """Say that the array whose opening stopped the walk has been closed."""
        self._close()

    def stuck(self, data: bytes, position: int, base: int) -> DecodeError:
        """Return the error for bytes at which no token could be read although all is there."""
        text = data[position : position + 20].decode("utf-8", "replace")
        if position >= len(data):
            return DecodeError("the body is cut short", offset=base + position)
        return DecodeError(
            "the body is not JSON or is cut short", offset=base + position, text=text
        )

    def check_whole(self, offset: int) -> None:
        """Check at the end of the body that nothing is open.

        Raises
        ------
        DecodeError
            When the body is empty or cut short.
        """
        if not self.done:
            started = self._open or self._said or self.providers
            reason = "the body is cut short" if started else "the body is empty"
            raise DecodeError(reason, offset=offset)

    def _check_start(self, data: bytes, position: int, base: int) -> None:
        """Raise for bytes that no further byte can turn into a token."""
        head = data[position : position + 9]
        if self._due is _Due.NOTHING or not _may_go_on(head):
            raise self._refusal(head, base + position)

    def _take(self, found: re.Match[bytes], base: int) -> bool:
        """Step over one token; True when it opens a ``Records`` array."""
        offset = base + found.start()
        mark, string, _ = found.groups()
        if self._due in (_Due.KEY, _Due.FIRST_KEY):
            if string is not None:
                self._key(string, offset)
                return False
            if mark == b"}" and self._due is _Due.FIRST_KEY:
                self._end_object(offset)
                return False
        elif self._due is _Due.COLON and mark == b":":
            self._due = _Due.VALUE
            return False
        elif self._due is _Due.COMMA and mark in (b",", b"}", b"]"):
            return self._comma_or_end(mark, offset)
        elif self._due is _Due.FIRST_VALUE and mark == b"]":
            self._close()
            return False
        elif self._due in (_Due.VALUE, _Due.FIRST_VALUE) and mark not in (b"}", b"]", b":", b","):
            return self._value(found, offset)
        raise self._refusal(found.group(), offset)

    def _key(self, token: bytes, offset: int) -> None:
        key = _text(token, offset)
        if self._on_way() and key == _WAY[len(self._open) - 1][1]:
            if key in self._keys[-1]:
                raise DecodeError(f"the key '{key}' stands twice", offset=offset, key=key)
            self._keys[-1].add(key)
        self._open[-1][1] = key
        self._due = _Due.COLON

    def _on_way(self) -> bool:
        """Whether the open containers are a beginning of the way to the records."""
        return self._way == len(self._open)

    def _value(self, found: re.Match[bytes], offset: int) -> bool:
        mark = found[1].decode() if found[1] else ""
        on_way = self._on_way()
        step = _WAY[len(self._open) - 1] if on_way and self._open else None
        key = self._open[-1][1] if self._open else None
        if not self._open and mark != "{":
            raise self._refusal(found.group(), offset)
        if step and step[1] is None:
            self.providers += 1
            if mark != "{":
                raise DecodeError("a provider is not an object", offset=offset)
        if step and step[1] is not None and key == step[1] and mark != _KIND[step[1]]:
            due = "an object" if _KIND[step[1]] == "{" else "an array"
            raise DecodeError(f"'{key}' is not {due}", offset=offset, key=key, text=_short(found))
        if mark:
            opens_records = bool(step and len(self._open) == len(_WAY) and key == step[1])
            self._push(mark, offset)
            return opens_records
        if found[2] is not None:
            text = _text(found[2], offset)
            self._overhear(text)
        else:
            self._overhear(found.group().decode())
        self._due = _Due.COMMA
        return False

    def _overhear(self, text: str) -> None:
        """Keep what an error object says, for the message."""
        key = (self._open[-1][1] or "").lower()
        if len(self._open) <= 2 and key in _SAID and len(self._said) < 4:
            self._said.append(text[:160])

    def _push(self, mark: str, offset: int) -> None:
        if len(self._open) >= MAX_DEPTH:
            raise DecodeError(f"nested deeper than {MAX_DEPTH}", offset=offset)
        if self._leads_on(mark):
            self._way += 1
        self._open.append([mark, None])
        self._keys.append(set())
        self._due = _Due.FIRST_KEY if mark == "{" else _Due.FIRST_VALUE

    def _leads_on(self, mark: str) -> bool:
        """Whether a container that opens now is one more on the way to the records."""
        depth = len(self._open)
        if self._way < depth or depth >= len(_WAY) or mark != _WAY[depth][0]:
            return False
        return depth == 0 or self._open[-1][1] == _WAY[depth - 1][1]

    def _comma_or_end(self, mark: bytes, offset: int) -> bool:
        kind = self._open[-1][0]
        if mark == b",":
            self._due = _Due.KEY if kind == "{" else _Due.VALUE
        elif mark == b"}" and kind == "{":
            self._end_object(offset)
        elif mark == b"]" and kind == "[":
            self._close()
        else:
            raise self._refusal(mark, offset)
        return False

    def _end_object(self, offset: int) -> None:
        if self._on_way():
            due = _WAY[len(self._open) - 1][1]
            if due is not None and due not in self._keys[-1]:
                self._absent(due, offset)
        self._close()

    def _absent(self, key: str, offset: int) -> NoReturn:
        if self._said:
            said = "; ".join(self._said)
            raise DecodeError(
                "the service sent an error instead of data",
                text=said,
                hint="see what it says; 'cimis doctor' checks key and service",
            )
        raise DecodeError(f"the body has no '{key}'", offset=offset, key=key)

    def _close(self) -> None:
        self._way = min(self._way, len(self._open) - 1)
        self._open.pop()
        self._keys.pop()
        self._due = _Due.COMMA if self._open else _Due.NOTHING

    def _refusal(self, token: bytes, offset: int) -> DecodeError:
        text = token[:20].decode("utf-8", "replace")
        if self._due is _Due.NOTHING:
            return DecodeError("more text after the end of the body", offset=offset, text=text)
        if not self._open:
            return DecodeError(_strange(token), offset=offset, text=text)
        due = self._due.name.lower().replace("_", " ")
        return DecodeError(f"not JSON: a {due} was due", offset=offset, text=text)


def _may_go_on(head: bytes) -> bool:
    """Whether bytes at which no token matches may be the beginning of one."""
    if head[:1] == b'"':
        return True
    literal = any(word.startswith(head) for word in (b"true", b"false", b"null"))
    return literal or head[:1] in b"-0123456789"


def _strange(token: bytes) -> str:
    """Return what a body that does not begin with an object seems to be."""
    if token[:1] == b"<":
        return "an HTML or XML page where JSON was due"
    if token[:2] == b"\x1f\x8b" or token[:4] == b"\x28\xb5\x2f\xfd":
        return "the body is still compressed"
    if token[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "the body is UTF-16, not UTF-8"
    return "the body does not begin with an object"


def _text(token: bytes, offset: int) -> str:
    try:
        return str(json.loads(token.decode("utf-8")))
    except UnicodeDecodeError as error:
        raise DecodeError("bad UTF-8", offset=offset + error.start) from error


def _short(found: re.Match[bytes]) -> str:
    return found.group()[:20].decode("utf-8", "replace")
