"""Which station a name means: one, several that it fits, or those that it may be a slip for."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher, get_close_matches
from typing import Any, TypeAlias

from cimis.pipeline.errors import UsageError

__all__ = ["Ask", "Doubt", "called", "is_name", "like", "slug"]

Facts: TypeAlias = Mapping[str, Any]

_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_LEAST_BEGINNING, _LEAST_INSIDE = 2, 3
"""Letters from which on a name is looked for at the beginning of words, and within them."""

_ALIKE = 0.75
"""From here on a name may be a slip for another; 0.8 misses one wrong letter in four."""

_AS_GOOD = 0.05
"""So far below the best likeness another is as good."""

_NAMED = 10
"""So many stations that a name fits are told in an error."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """A name that does not say by itself which station it means.

    Parameters
    ----------
    text : str
        As it was given.
    stations : sequence of mapping
        The facts of those that it may mean, the likeliest first.
    fits : bool
        Whether it is a part of their names; else it is only like them.
    """

    text: str
    stations: Sequence[Facts]
    fits: bool

    def error(self) -> UsageError:
        """Return what refuses the name, and names those that it may mean."""
        shown = [f"{one.get('name')} ({one['number']})" for one in self.stations[:_NAMED]]
        left = len(self.stations) - len(shown)
        listed = ", ".join(shown) + (f" and {left} more" if left else "")
        if self.fits:
            return UsageError(
                f"'{self.text}' fits {len(self.stations)} stations: {listed}",
                hint="give the whole name, or the number",
            )
        if not shown:
            return UsageError(f"no station is called '{self.text}'", hint="see 'cimis stations'")
        return UsageError(
            f"no station is called '{self.text}'; did you mean {listed}?",
            hint="write that name, or the number; 'cimis stations' lists all",
        )


Ask: TypeAlias = Callable[[Doubt], int | None]
"""Asks somebody which station is meant; None where nobody says it."""


def is_name(text: str) -> bool:
    """Tell whether a text names a station by words: it has a letter."""
    return any(sign.isalpha() for sign in text)


def called(text: str, known: Sequence[Facts], ask: Ask | None = None) -> int:
    """Return the number of the station that a name means.

    Capitals, accents, blanks and punctuation count for nothing. The whole name goes before its
    beginning and beginnings of its words, and these before what stands within words.

    Parameters
    ----------
    text : str
    known : sequence of mapping
        The facts of all stations: ``number``, ``name``.
    ask : callable, optional
        Is asked where the name fits several, or none but is like some.

    Raises
    ------
    UsageError
        Where there is no list of stations, and in doubt if nobody says which it is.
    """
    given = text.strip()
    if not known:
        raise UsageError(
            f"'{given}' is no number, and there is no list of stations to find a name in",
            hint="fetch it: cimis stations --refresh",
        )
    if given.casefold() == "all":
        raise UsageError("'all' and single stations as well", hint="give all, or a list")
    words = _words(given)
    if not words:
        raise UsageError(f"'{given}' names no station", hint="see 'cimis stations'")
    stations = {int(facts["number"]): facts for facts in known}.values()
    names = [(facts, _words(str(facts.get("name") or ""))) for facts in stations]
    found = _fitting(words, names)
    if len(found) == 1:
        return int(found[0]["number"])
    doubt = Doubt(given, found or _near(words, names), bool(found))
    chosen = None if ask is None or not doubt.stations else ask(doubt)
    if chosen is None:
        raise doubt.error()
    return chosen


def like(text: str, names: Sequence[str]) -> str:
    """Return a question whether one of some names was meant; nothing where none is like a text."""
    plain = {"".join(_words(name)): name for name in names}
    near = get_close_matches("".join(_words(text)), plain, n=1, cutoff=_ALIKE)
    return f"; did you mean {plain[near[0]]}?" if near else ""


def slug(name: str) -> str:
    """Return a name in small letters with hyphens, which no shell takes for several words."""
    return "-".join(_words(name))


def _fitting(words: Sequence[str], names: Sequence[tuple[Facts, list[str]]]) -> list[Facts]:
    """Return the stations whose name a text is, else those that it is a part of."""
    whole = "".join(words)
    for fits in (_is, _begins_words, _is_inside):
        if found := [facts for facts, name in names if fits(whole, words, name)]:
            return found
    return []


def _is(whole: str, _words: Sequence[str], name: list[str]) -> bool:
    return "".join(name) == whole


def _begins_words(whole: str, words: Sequence[str], name: list[str]) -> bool:
    """Tell whether a text begins at a word of a name, or each of its words begins one."""
    if len(whole) < _LEAST_BEGINNING:
        return False
    if any("".join(name[place:]).startswith(whole) for place in range(len(name))):
        return True
    return all(any(part.startswith(word) for part in name) for word in words)


def _is_inside(whole: str, _words: Sequence[str], name: list[str]) -> bool:
    return len(whole) >= _LEAST_INSIDE and whole in "".join(name)


def _near(words: Sequence[str], names: Sequence[tuple[Facts, list[str]]]) -> list[Facts]:
    """Return the stations whose names, or runs of words of them, are most like a text."""
    matcher = SequenceMatcher(autojunk=False)
    matcher.set_seq2("".join(words))
    scores = []
    for facts, name in names:
        best = 0.0
        for run in _runs(name):
            matcher.set_seq1(run)
            if matcher.real_quick_ratio() >= _ALIKE and matcher.quick_ratio() >= _ALIKE:
                best = max(best, matcher.ratio())
        if best >= _ALIKE:
            scores.append((best, facts))
    highest = max((score for score, _ in scores), default=0.0)
    ordered = sorted(scores, key=lambda pair: (-pair[0], pair[1]["number"]))
    return [facts for score, facts in ordered if score >= highest - _AS_GOOD]


def _runs(name: list[str]) -> Iterator[str]:
    """Yield all runs of a name's words, written as one."""
    for begin in range(len(name)):
        for end in range(begin + 1, len(name) + 1):
            yield "".join(name[begin:end])


def _words(text: str) -> list[str]:
    """Return a name's words for comparing: small letters and digits, ``FivePoints`` as two."""
    apart = unicodedata.normalize("NFKD", _CAMEL.sub(" ", text))
    bare = "".join(sign for sign in apart if not unicodedata.combining(sign))
    return re.findall(r"[^\W_]+", bare.casefold())
