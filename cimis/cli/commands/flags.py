"""``cimis flags``: the network's quality-control flags."""

from __future__ import annotations

from cimis.cli.options import declare, printing
from cimis.cli.showing.lists import show_list
from cimis.cli.showing.output import Output
from cimis.cli.showing.wanted import Form, listing
from cimis.pipeline.field.items import QC_FLAGS

__all__ = ["command"]

_COLUMNS = ("flag", "severe", "provisional", "estimated", "meaning")


@declare("flags", examples=["cimis flags", "cimis flags --format md"])
@listing()
@printing(talks=True)
def command(*, form: Form, out: Output) -> None:
    """List the quality-control flags; a value without one passed every check."""
    rows = [(f.letter, f.severe, f.provisional, f.estimated, f.meaning) for f in QC_FLAGS]
    show_list(_COLUMNS, rows, form=form, out=out)
