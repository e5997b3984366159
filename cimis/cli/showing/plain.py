"""The short way of ``cimis query``: a few rows as text, without importing Arrow."""

from __future__ import annotations

import sys
from pathlib import Path

from cimis.cli.showing.answers import Cut, Form, format_of_answer, say_limited
from cimis.cli.showing.output import Output
from cimis.pipeline.errors import ChunkError, NoDataError
from cimis.pipeline.lacks import Asked
from cimis.queries.timing import QueryTimings

__all__ = ["answered_plainly"]


def answered_plainly(
    root: Path,
    asked: Asked,
    *,
    units: str,
    qc: str,
    form: Form,
    out: Output,
    timings: QueryTimings,
    words: str,
) -> bool:
    """Answer a question of few rows on standard output; False where it has to go the long way.

    The bytes are those that the long way gives; so is what is told of a damaged chunk, by going
    that way. ``words`` say what was asked for.

    Raises
    ------
    NoDataError
        Where nothing matches and that was not allowed; the empty answer has been given by then.
    """
    from cimis.queries.point.texts import FORMATS, as_bytes

    name = format_of_answer(form, out)
    named = out.names is not None
    if named or name not in FORMATS or form.to_file or form.header == "units":
        return False
    if asked.sites is None or asked.first is None or asked.last is None:
        return False
    from cimis.queries.answers.tally import Tally
    from cimis.queries.conversion import standard
    from cimis.queries.point.rows import point
    from cimis.queries.quality import policy

    timings.restart()
    try:
        answer = point(
            root,
            asked.scope,
            [int(site) for site in asked.sites],
            asked.first,
            asked.last,
            items=asked.items or None,
            units=standard(units),
            policy=policy(qc),
            timings=timings,
        )
    except ChunkError:
        return False
    if answer is None:
        return False
    sites = [int(row[0] or 0) for row in answer.rows]
    cut = Cut(form.limit)
    answer = answer._replace(rows=list(cut.of(answer.rows)))
    with timings.phase("print"):
        sys.stdout.buffer.write(as_bytes(answer, name))
        sys.stdout.buffer.flush()
    timings.count(rows=len(answer.rows))
    if not answer.rows and not form.allow_empty:
        raise NoDataError(
            words, hint="see what is stored with 'cimis stats'; --allow-empty exits 0"
        )
    tally = Tally(root, asked)
    tally.of(sites)
    say_limited(cut, out)
    out.lacks(tally.lacks())
    return True
