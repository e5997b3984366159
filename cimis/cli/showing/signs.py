"""Which signs standard output can show: colours, and more than ASCII."""

from __future__ import annotations

import os
import sys

from cimis.cli.showing.output import Output

__all__ = ["colored", "only_ascii"]

_PROBE = "⣿█·│°"


def colored(out: Output) -> bool:
    """Tell whether colours are wanted there: on a terminal that has some, unless forbidden."""
    dumb = os.environ.get("TERM") == "dumb"
    return out.to_people and out.color and not os.environ.get("NO_COLOR") and not dumb


def only_ascii() -> bool:
    """Tell whether only ASCII can be shown: by the encoding of standard output, or ``LANG=C``.

    Python itself writes UTF-8 under ``LANG=C``, which says nothing of what the terminal shows.
    """
    named = os.environ.get("LC_ALL") or os.environ.get("LANG") or ""
    if named in ("C", "POSIX"):
        return True
    try:
        _PROBE.encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return True
    return False
