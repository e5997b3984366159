"""``cimis flags``: the network's quality-control flags."""

from __future__ import annotations

from cimis.cli.options import declare, printing
from cimis.cli.showing.output import Output
from cimis.pipeline.field.items import QC_FLAGS

__all__ = ["command"]

_COLUMNS = ("flag", "severe", "provisional", "estimated", "meaning")


@declare("flags", examples=["cimis flags", "cimis flags --json"])
@printing()
def command(*, out: Output) -> None:
    """List the quality-control flags; a value without one passed every check."""
    rows = [(f.letter, f.severe, f.provisional, f.estimated, f.meaning) for f in QC_FLAGS]
    out.rows(_COLUMNS, rows)
