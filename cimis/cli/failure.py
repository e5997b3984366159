"""How an error reaches the user: one line and a hint on standard error, or JSON; never a trace."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from itertools import pairwise
from typing import Any

import click

from cimis.pipeline.errors import CimisError, StoreError, UsageError

__all__ = ["ABORTED", "BROKEN_PIPE", "TERMINATED", "report", "wants_json"]

ABORTED = 130
BROKEN_PIPE = 141
TERMINATED = 143
HIDDEN = "***"


def wants_json(arguments: Sequence[str]) -> bool:
    """Tell whether ``--json`` or ``--log-format json`` is given, before options are parsed."""
    options = list(arguments)
    if "--" in options:
        options = options[: options.index("--")]
    given = [option.removeprefix("-").removeprefix("-") for option in options if option[:1] == "-"]
    if "json" in given or "log-format=json" in given:
        return True
    after = dict(pairwise(options))
    return "json" in (after.get("--log-format"), after.get("-log-format"))


def report(error: Exception, arguments: Sequence[str], *, as_json: bool) -> int:
    """Write an error to standard error and return its exit code."""
    known = _known(error)
    if known is None:
        return _report_bug(error, arguments, as_json=as_json)
    secrets = _secrets(arguments)
    if as_json:
        facts = known.as_dict() | {"exit_code": known.exit_code}
        _say(_json({"error": facts}), secrets)
    else:
        _say(f"error: {_one_line(str(known))}", secrets)
        if known.hint:
            _say(f"hint: {_one_line(known.hint)}", secrets)
    return known.exit_code


def _known(error: Exception) -> CimisError | None:
    """Return the error as one of ours, or None where it is our own fault."""
    if isinstance(error, CimisError):
        return error
    if isinstance(error, click.ClickException):
        return UsageError(error.format_message(), hint=_click_hint(error))
    if isinstance(error, RuntimeError) and "home directory" in str(error):
        return UsageError("no home folder is known", hint="set HOME, or give the whole path")
    if isinstance(error, OSError) and error.errno is not None:
        place = f"{error.filename}: " if error.filename else ""
        return StoreError(
            f"{place}{error.strerror}", hint="check the path, its rights and the disk"
        )
    return None


def _click_hint(error: click.ClickException) -> str | None:
    context = getattr(error, "ctx", None)
    if context is None:
        return None
    see = f"see '{context.command_path} --help'"
    options = {name for parameter in context.command.params for name in parameter.opts}
    if "extra argument" in error.format_message() and "--station" in options:
        return f"stations are named by --station; {see}"
    return see


def _report_bug(error: Exception, arguments: Sequence[str], *, as_json: bool) -> int:
    """Save the trace to a file and say where it is."""
    import tempfile
    import traceback

    secrets = _secrets(arguments)
    trace = "".join(traceback.format_exception(error))
    hint = "please report it with the command"
    with suppress(OSError):  # no folder for temporary files can be written
        with tempfile.NamedTemporaryFile(
            *("w", -1, "utf-8"),
            prefix="cimis-trace-",
            suffix=".txt",
            delete=False,
            errors="backslashreplace",
        ) as file:
            file.write(_without(f"cimis {' '.join(arguments)}\n\n{trace}", secrets))
        hint = f"please report it with the trace in {file.name}"
    message = f"this is a bug in cimis: {type(error).__name__}: {_one_line(str(error))}"
    if as_json:
        facts = {"class": type(error).__name__, "message": message, "hint": hint, "exit_code": 1}
        _say(_json({"error": facts}), secrets)
    else:
        _say(f"error: {message}", secrets)
        _say(f"hint: {hint}", secrets)
    return 1


def _secrets(arguments: Sequence[str]) -> list[str]:
    """Return the keys that this command was given, to be kept out of whatever is said."""
    found = [os.environ.get("CIMIS_APP_KEY", "")]
    for place, argument in enumerate(arguments):
        name, _, value = argument.partition("=")
        if name.lstrip("-") == "app-key":
            found.append(value or (arguments[place + 1] if place + 1 < len(arguments) else ""))
    return [secret for secret in found if len(secret) > 3]


def _without(text: str, secrets: Sequence[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, HIDDEN)
    return text


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _json(facts: dict[str, Any]) -> str:
    import json

    return json.dumps(facts, default=str, ensure_ascii=False)


def _say(text: str, secrets: Sequence[str]) -> None:
    try:
        sys.stderr.write(_without(text, secrets) + "\n")
        sys.stderr.flush()
    except (BrokenPipeError, ValueError):  # nobody listens any more
        return
