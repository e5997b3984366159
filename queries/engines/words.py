"""Which tables a question's text may read: a guess on the safe side, from its words."""

from __future__ import annotations

import re
from functools import lru_cache

from cimis.pipeline.field.items import Scope
from cimis.queries.mirror.layout import TABLES

__all__ = ["has_word", "scopes_in", "tables_in"]

_ANY = re.compile(
    r"\bquery(_table)?\s*\(|\bshow\b|\bduckdb_|information_schema|\bpragma", re.IGNORECASE
)
"""Questions that make their own text, or ask which tables there are."""


@lru_cache(maxsize=1024)
def has_word(name: str, text: str) -> bool:
    """Tell whether a name stands in a text, by itself."""
    return re.search(rf"\b{name}\b", text, re.IGNORECASE) is not None


@lru_cache(maxsize=256)
def tables_in(text: str) -> tuple[str, ...]:
    """Return the tables of rows that a question names."""
    return tuple(name for names in TABLES.values() for name in names if has_word(name, text))


@lru_cache(maxsize=256)
def scopes_in(text: str) -> tuple[Scope, ...]:
    """Return the scopes whose tables a question may read.

    By their names; a question that makes its own text, or asks which tables there are, may mean
    any.
    """
    named = [scope for scope, names in TABLES.items() if {*names} & {*tables_in(text)}]
    return tuple(Scope if _ANY.search(text) else named)
