"""The chart runtime that pages carry: which files, of which versions, under which licences."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources

__all__ = ["RuntimeFile", "runtime_files", "runtime_script"]

_FOLDER = "runtime"


@dataclass(frozen=True, slots=True)
class RuntimeFile:
    """A file of another project, kept as its makers publish it."""

    name: str
    version: str
    license: str
    source: str
    sha256: str

    def read(self) -> str:
        """Return its text."""
        return _read(self.name)

    def license_text(self) -> str:
        """Return the text of its licence."""
        return _read(self.license)


def runtime_files() -> tuple[RuntimeFile, ...]:
    """Return the files in the order in which a page needs them."""
    return tuple(RuntimeFile(**one) for one in tomllib.loads(_read("VERSIONS.toml"))["file"])


@cache
def runtime_script() -> str:
    """Return all files as one plain script, which needs neither modules nor a source map.

    The interpreter of expressions is a module of its makers': what it imports is in ``vega``.
    """
    parts = []
    for file in runtime_files():
        text = re.sub(r"\n//# sourceMappingURL=\S+\s*$", "", file.read()).rstrip()
        taken = re.search(r"^import (\{[^}]*\}) from 'vega-util';$", text, re.MULTILINE)
        given = re.search(r"^export \{ (\w+) as (\w+) \};$", text, re.MULTILINE)
        if taken and given:
            text = text.replace(taken[0], f"const {taken[1]} = vega;")
            text = text.replace(given[0], f"globalThis.{given[2]} = {given[1]};")
            text = f"(function () {{\n{text}\n}})();"
        licence = file.license_text().strip().replace("*/", "* /")
        parts.append(f"/*! {file.name} {file.version}\n{licence}\n*/\n{text}")
    return "\n".join(parts)


def _read(name: str) -> str:
    return resources.files(__package__).joinpath(_FOLDER, name).read_text(encoding="utf-8")
