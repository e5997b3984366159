"""Faults that the emulated service makes on purpose: which request meets which, by a seed.

A draw depends on the seed, the request's query and how often that was asked before; so a run meets
the same faults again, in whatever order its requests arrive.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cimis.pipeline.errors import UsageError

__all__ = ["KINDS", "PASSING", "Troubles"]

KINDS: Mapping[str, str] = {
    "429": "too many requests, without a word on when to come back",
    "429-after": "too many requests, with Retry-After in seconds",
    "429-date": "too many requests, with Retry-After as a date",
    "500": "internal error",
    "502": "bad gateway",
    "503": "unavailable",
    "504": "gateway timeout",
    "slow": "the answer begins only after slow_s seconds",
    "reset": "the connection is reset",
    "cut": "the connection ends in the middle of the body",
    "truncated-gzip": "the compressed body ends too early, well framed",
    "corrupt-gzip": "a byte of the compressed body is changed",
    "firewall": "an HTML page of the firewall, with status 200",
    "duplicates": "some records twice",
    "reordered": "a station's records in another order",
    "latency": "the answer waits latency_s seconds longer",
    "trickle": "the body comes in small pieces with pauses",
    "revised": "some values differ from what they were",
    "400": "refused, ERR1035",
    "401": "refused, the key is said to be wrong",
    "403": "refused, quota exceeded",
    "404": "refused, ERR1019",
}
"""Every kind of fault, and what it does."""

PASSING = tuple(kind for kind in tuple(KINDS)[:15] if kind != "slow")
"""Those that an even rate draws from: a client that tries again gets all its data."""

_FILE_HINT = "write for example: seed = 1, and below [rates] 503 = 0.1"


@dataclass(slots=True)
class Troubles:
    """Rates of faults between 0 and 1, and how they are drawn.

    Attributes
    ----------
    rates : dict of str to float
        By kind of `KINDS`; their sum is at most 1.
    seed : int
    most : int, optional
        After so many faults there are no more.
    retry_after_s : int
        What ``429-after`` and ``429-date`` ask for.
    slow_s, latency_s : float
        Waits of the kinds of these names.
    counts : dict of str to int
        Faults made so far, by kind.

    Raises
    ------
    UsageError
        For an unknown kind, or rates that are none.
    """

    rates: Mapping[str, float] = field(default_factory=dict)
    seed: int = 0
    most: int | None = None
    retry_after_s: int = 1
    slow_s: float = 5.0
    latency_s: float = 0.5
    counts: dict[str, int] = field(default_factory=dict)
    _asked: dict[str, int] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        for kind, rate in self.rates.items():
            if kind not in KINDS:
                raise UsageError(f"unknown fault '{kind}'", hint=f"one of {', '.join(KINDS)}")
            if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 <= rate <= 1:
                raise UsageError(f"fault '{kind}' has the rate {rate!r}", hint="from 0 to 1")
        if sum(self.rates.values()) > 1 + 1e-9:
            raise UsageError("the rates of faults add up to more than 1", hint=_FILE_HINT)

    @classmethod
    def evenly(cls, rate: float, *, seed: int = 0, **settings: Any) -> Troubles:
        """Return faults of all `PASSING` kinds, as many of each, ``rate`` in sum."""
        return cls(dict.fromkeys(PASSING, rate / len(PASSING)), seed, **settings)

    @classmethod
    def of_file(cls, path: Path) -> Troubles:
        """Return the faults that a TOML file describes; ``docs/emulator.md`` has its form."""
        try:
            facts = tomllib.loads(path.read_text("utf-8"))
        except OSError as error:
            raise UsageError(f"cannot read {path}: {error.strerror}", hint=_FILE_HINT) from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise UsageError(f"{path} is no TOML: {error}", hint=_FILE_HINT) from None
        known = {"rates", "seed", "most", "retry_after_s", "slow_s", "latency_s"}
        if strange := sorted(facts.keys() - known):
            raise UsageError(f"{path} has the unknown setting '{strange[0]}'", hint=_FILE_HINT)
        if not isinstance(facts.get("rates", {}), dict):
            raise UsageError(f"{path}: rates is no table", hint=_FILE_HINT)
        for name, value in facts.items():
            if name != "rates" and (isinstance(value, bool) or not isinstance(value, int | float)):
                raise UsageError(f"{path}: {name} is no number", hint=_FILE_HINT)
        return cls(**facts)

    def draw(self, query: str) -> str | None:
        """Return the fault that a request meets, if any, and count it."""
        if not self.rates:
            return None
        turn = self._asked[query] = self._asked.get(query, 0) + 1
        if self.most is not None and sum(self.counts.values()) >= self.most:
            return None
        place = self._uniform(query, turn)
        for kind, rate in self.rates.items():
            place -= rate
            if place < 0:
                self.counts[kind] = self.counts.get(kind, 0) + 1
                return kind
        return None

    def _uniform(self, query: str, turn: int) -> float:
        """Return the request's draw, from 0 up to 1."""
        text = f"{self.seed}\n{query}\n{turn}".encode()
        return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big") / 2**64
