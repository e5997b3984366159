"""``cimis compact``: bring the read cache up to date now."""

from __future__ import annotations

from cimis.cli.options import data_dir, declare, printing, read_cache
from cimis.cli.showing.output import Output

__all__ = ["command"]


@declare("compact", examples=["cimis compact"])
@read_cache
@data_dir
@printing(talks=True)
def command(*, cache: str | None, data_dir: str | None, out: Output) -> None:
    """Bring the read cache up to date now, and tell what it holds.

    There is no need to: it is brought up to date after each fetch and import, and when a question
    finds it out of date.
    """
    from cimis.cli.session import opened

    with opened(data_dir, cache, told=out.note) as store:
        done = store.refresh()
    names = ("scope", "chunks", "rows", "decoded", "removed", "damaged", "anew", "bytes")
    rows = [(*(getattr(each, n) for n in names), round(each.seconds, 3)) for each in done]
    out.rows((*names, "seconds"), rows)
