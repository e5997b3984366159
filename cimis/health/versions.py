"""What is installed: Python, cimis, what it needs, its extras, and DuckDB's compiled module."""

from __future__ import annotations

import platform
import re
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, metadata, requires, version

from cimis.health.finding import Finding, Mark
from cimis.version import __version__

__all__ = ["version_lines"]

_TOPIC = "versions"
_NEED = re.compile(
    r"(?P<name>[\w.-]+)\s*(\[[^]]*\])?\s*(>=\s*(?P<least>[\d.]+))?[^;]*"
    r"(;.*extra\s*==\s*['\"](?P<extra>[\w-]+)['\"])?"
)


def version_lines() -> Iterator[Finding]:
    """Tell what runs, what it needs, and which extras are there."""
    yield _python()
    try:
        needs = [found for text in requires("cimis") or () if (found := _NEED.match(text))]
    except PackageNotFoundError:
        told, do = "cimis is not installed here, but run from its source", "pip install ."
        yield Finding(_TOPIC, "cimis", Mark.WARNING, told, do)
        return
    yield Finding(_TOPIC, "cimis", Mark.OK, f"cimis {__version__}", facts={"cimis": __version__})
    yield _dependencies([need for need in needs if need["extra"] is None])
    yield _extras([need for need in needs if need["extra"] is not None])
    yield _duckdb()


def _python() -> Finding:
    least = metadata("cimis")["Requires-Python"] if _installed("cimis") else None
    told = f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"
    facts = {"python": platform.python_version(), "executable": sys.executable}
    bound = re.search(r">=\s*([\d.]+)", least or "")
    if bound and sys.version_info < _numbers(bound[1]):
        do = f"use Python {bound[1]} or newer"
        return Finding(_TOPIC, "python", Mark.PROBLEM, told, do, facts)
    return Finding(_TOPIC, "python", Mark.OK, told, facts=facts)


def _dependencies(needs: list[re.Match[str]]) -> Finding:
    found = {need["name"]: _installed(need["name"]) for need in needs}
    absent = [name for name, present in found.items() if present is None]
    older = [
        f"{need['name']} {found[need['name']]} (needs {need['least']})"
        for need in needs
        if need["least"] and found[need["name"]] and _older(found[need["name"]], need["least"])
    ]
    if absent or older:
        told = "; ".join([*([f"not there: {', '.join(absent)}"] if absent else ()), *older])
        do = "pip install --upgrade cimis"
        return Finding(_TOPIC, "dependencies", Mark.PROBLEM, told, do, found)
    shown = ", ".join(f"{name} {one}" for name, one in found.items())
    return Finding(_TOPIC, "dependencies", Mark.OK, shown, facts=found)


def _extras(needs: list[re.Match[str]]) -> Finding:
    extras: dict[str, list[str]] = {}
    for need in needs:
        extras.setdefault(need["extra"], []).append(need["name"])
    there = {extra: all(map(_installed, names)) for extra, names in extras.items()}
    has = ", ".join(extra for extra, all_ in there.items() if all_) or "none"
    lacks = ", ".join(extra for extra, all_ in there.items() if not all_)
    told = f"extras: {has}" + (f"; not installed: {lacks}" if lacks else "")
    return Finding(_TOPIC, "extras", Mark.OK, told, facts=there)


def _duckdb() -> Finding:
    from cimis.queries.native import native

    module = native()
    alone = module.__name__ == "_duckdb"
    facts = {"module": module.__name__, "version": module.__version__}
    if alone:
        told = f"DuckDB {module.__version__}: its compiled module is imported alone"
        return Finding(_TOPIC, "duckdb", Mark.OK, told, facts=facts)
    told = f"DuckDB {module.__version__}: the whole package is imported; questions start slower"
    do = "nothing: answers are the same; a release of cimis that knows this DuckDB is quicker"
    return Finding(_TOPIC, "duckdb", Mark.WARNING, told, do, facts)


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _older(present: str | None, least: str) -> bool:
    return _numbers(present or "") < _numbers(least)


def _numbers(text: str) -> tuple[int, ...]:
    """Return the numbers that a version begins with: ``2.0.1rc1`` is 2, 0, 1."""
    parts = re.match(r"\d+(\.\d+)*", text)
    return tuple(map(int, parts[0].split("."))) if parts else ()
