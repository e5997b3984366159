"""What only some systems have is asked for before it is used, and every text names its encoding."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from tests.everywhere.elsewhere import CALLS, SIGNALS
from tests.everywhere.elsewhere import MODULES as POSIX_MODULES
from tests.modules import MODULES, ROOT

READ = [*MODULES, *(path for room in ("benchmarks", "docs") for path in ROOT.glob(f"{room}/*.py"))]


def _above(tree: ast.Module) -> Iterator[tuple[ast.AST, list[ast.AST]]]:
    """Yield each node with those that it lies in, the outermost first."""
    waiting: list[tuple[ast.AST, list[ast.AST]]] = [(tree, [])]
    while waiting:
        node, above = waiting.pop()
        yield node, above
        waiting += [(child, [*above, node]) for child in ast.iter_child_nodes(node)]


def _asked_for(name: str, above: list[ast.AST]) -> bool:
    """Tell whether a condition around the use, or one that leaves before it, asks for it."""
    around = [node for node in above if isinstance(node, ast.If | ast.IfExp)]
    inside = [node for node in above if isinstance(node, ast.FunctionDef)][-1:]
    leaving = [
        node
        for function in inside
        for node in function.body
        if isinstance(node, ast.If) and isinstance(node.body[-1], ast.Return | ast.Raise)
    ]
    asked = (f"'{name}')", "os.name", "sys.platform")
    return any(part in ast.unparse(node.test) for node in (*around, *leaving) for part in asked)


def _is_caught(above: list[ast.AST]) -> bool:
    """Tell whether a failed import is caught around."""
    caught = {"ImportError", "ModuleNotFoundError"}
    return any(
        isinstance(node, ast.Try)
        and any(handler.type and ast.unparse(handler.type) in caught for handler in node.handlers)
        for node in above
    )


def unguarded(text: str) -> list[str]:
    """Return the modules, calls and signals of POSIX that a module takes to be there."""
    found = []
    for node, above in _above(ast.parse(text)):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
            if node.module in ("os", "signal"):
                found += [a.name for a in node.names if a.name in (*CALLS, *SIGNALS)]
        found += [name for name in names if name in POSIX_MODULES and not _is_caught(above)]
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            gone = {"os": CALLS, "signal": SIGNALS}.get(node.value.id, ())
            if node.attr in gone and not _asked_for(node.attr, above):
                found.append(f"{node.value.id}.{node.attr}")
    return found


def without_encoding(text: str) -> list[str]:
    """Return the calls that read or write a text in whatever encoding the system has."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.Call):
            continue
        named = {keyword.arg for keyword in node.keywords}
        if "encoding" in named:
            continue
        call = node.func
        name = call.attr if isinstance(call, ast.Attribute) else getattr(call, "id", "")
        mode = _mode(node, 1 if name == "open" and isinstance(call, ast.Name) else 0)
        if (
            (name == "read_text" and not node.args)
            or (name == "write_text" and len(node.args) < 2)
            or (name == "open" and _is_file(call) and "b" not in mode)
            or (name in ("run", "Popen", "check_output") and named & {"text", "universal_newlines"})
            or (name in ("NamedTemporaryFile", "TemporaryFile") and mode and "b" not in mode)
        ):
            found.append(f"line {node.lineno}: {ast.unparse(node)[:60]}")
    return found


def _mode(node: ast.Call, place: int) -> str:
    """Return the mode that a file is opened in, as far as it is written out; empty for none."""
    given = [keyword.value for keyword in node.keywords if keyword.arg == "mode"]
    given += [arg for arg in node.args[place : place + 1] if not isinstance(arg, ast.Starred)]
    value = given[0].value if given and isinstance(given[0], ast.Constant) else ""
    return value if isinstance(value, str) else ""


def _is_file(call: ast.expr) -> bool:
    """Tell whether an ``open`` opens a file as a text: the function itself, or a path's method."""
    if isinstance(call, ast.Name):
        return True
    owner = ast.unparse(call.value) if isinstance(call, ast.Attribute) else ""
    return owner.startswith("Path(") or owner.rpartition(".")[2] in ("path", "file", "target")


def _found(rule: Callable[[str], list[str]], paths: Sequence[Path]) -> dict[str, list[str]]:
    """Return what a rule finds, by the file."""
    all_found = {str(p.relative_to(ROOT)): rule(p.read_text(encoding="utf-8")) for p in paths}
    return {name: found for name, found in all_found.items() if found}


def test_nothing_of_one_system_is_taken_for_granted() -> None:
    """Modules of POSIX are imported where their lack is caught, calls made where asked for."""
    assert _found(unguarded, MODULES) == {}


def test_every_text_names_its_encoding() -> None:
    """What is written on one machine is read on another."""
    assert _found(without_encoding, READ) == {}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("import fcntl", ["fcntl"]),
        ("def f():\n    import resource", ["resource"]),
        ("try:\n    import pwd\nexcept ImportError:\n    pwd = None", []),
        ("import os\nos.fork()", ["os.fork"]),
        ("import os\nif hasattr(os, 'fork'):\n    os.fork()", []),
        ("from os import statvfs", ["statvfs"]),
        ("import signal\nsignal.signal(signal.SIGHUP, f)", ["signal.SIGHUP"]),
    ],
)
def test_the_rule_itself_finds_what_it_should(text: str, found: list[str]) -> None:
    """The check of calls is none that passes everything."""
    assert unguarded(text) == found


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("open('a')", 1),
        ("open('a', 'rb')", 0),
        ("open('a', encoding='utf-8')", 0),
        ("path.read_text()", 1),
        ("path.read_text('utf-8')", 0),
        ("path.write_text(a)", 1),
        ("path.open('w')", 1),
        ("path.open('wb')", 0),
        ("run(a, text=True)", 1),
        ("NamedTemporaryFile('w')", 1),
    ],
)
def test_the_rule_of_encodings_finds_what_it_should(text: str, count: int) -> None:
    """The check of texts is none that passes everything."""
    assert len(without_encoding(text)) == count
