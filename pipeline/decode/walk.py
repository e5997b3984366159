"""The records of a window: by the fast path where they share a layout, else one by one."""

from __future__ import annotations

from collections.abc import Iterator

from cimis.pipeline.decode.columns import Block
from cimis.pipeline.decode.elements import MAX_RECORD, Elements, Parsed, Step
from cimis.pipeline.decode.fast.batch import FastPath, Scan
from cimis.pipeline.decode.fast.template import learn
from cimis.pipeline.decode.findings import Findings
from cimis.pipeline.decode.records import Place, RecordReader
from cimis.pipeline.errors import DecodeError

__all__ = ["RecordWalk"]

_LONG_RUN = 8
_MOST_LAYOUTS = 4
_LONGEST_REST = 512
_SHORT = MAX_RECORD // 4


class RecordWalk:
    """Goes through the elements of ``Records`` arrays.

    Parameters
    ----------
    reader : RecordReader
    findings : Findings
    fast : bool
        Whether to use the fast path; without it the result is the same.

    Attributes
    ----------
    elements : Elements
    position : int
        Where the last walk stopped in its window.
    ended : bool
        Whether it stopped at the end of an array; else the window ran out.
    """

    def __init__(self, reader: RecordReader, findings: Findings, *, fast: bool) -> None:
        self.elements = Elements()
        self.position = 0
        self.ended = False
        self._reader = reader
        self._findings = findings
        self._fast_wanted = fast
        self._fast: FastPath | None = None
        self._layouts_left = 0
        self._rest = 1

    def blocks(self, data: bytes, position: int, base: int, *, final: bool) -> Iterator[Block]:
        """Give the rows from a position on.

        Parameters
        ----------
        data : bytes
            The window.
        position : int
            Where to start in it.
        base : int
            Byte offset of the window in the body.
        final : bool
            Whether the body ends with the window.
        """
        self._layouts_left = _MOST_LAYOUTS
        scanned = False
        while True:
            self.position, step = self.elements.step(data, position, base)
            self.ended = step is Step.ENDED
            if step is not Step.VALUE:
                return
            position = self.position
            if not final and scanned and len(data) - position < _SHORT:
                return  # the next window has these bytes too, and more to read them with
            scan = self._scan(data, position, final=final)
            scanned = scan is not None
            if scan is not None:
                yield from self._by_scan(scan, data, base, final=final)
            if self.position == position:
                limit = self._rest if self._fast_wanted else None
                parsed = self._one_by_one(data, base, limit, final=final)
                if parsed.stopped:
                    return
                yield from self._reader.read(parsed.records, parsed.places)
                self._rest = min(2 * self._rest, _LONGEST_REST)
            position = self.position

    def _scan(self, data: bytes, position: int, *, final: bool) -> Scan | None:
        """Read what can be read fast, by the known layout or a new one; None where nothing can."""
        if not self._fast_wanted:
            return None
        scan = self._fast.scan(data, position, final=final) if self._fast is not None else None
        if (scan is None or not scan.good[0]) and self._layouts_left:
            self._layouts_left -= 1
            if self._learn(data, position) and self._fast is not None:
                scan = self._fast.scan(data, position, final=final)
        return scan

    def _learn(self, data: bytes, position: int) -> bool:
        """Take the layout of the record at a position, if it has one."""
        found = self.elements.look(data, position)
        if found is None:
            return False
        record, stop = found
        place = Place(0, 0)
        try:
            where = self._reader.where(record, place)
            self._reader.check_kind(record, place)
            template = learn(data, position, stop, where, self._reader.wanted, self._reader.quiet)
            if template is None:
                return False
            for name, item in zip(template.names, template.items, strict=True):
                if item is not None:
                    self._findings.check_unit(item, name, record[name]["Unit"])
        except (DecodeError, ValueError):
            return False  # the general path will say what is wrong, and where
        self._fast = FastPath(template, self._reader, self._findings)
        return True

    def _by_scan(self, scan: Scan, data: bytes, base: int, *, final: bool) -> Iterator[Block]:
        """Give rows in the body's order, reading one by one what the scan left."""
        taken = 0
        for first, stop, read in scan.runs():
            count = stop - first
            end = int(scan.starts[stop])
            if read:
                whole = count == scan.block.rows
                self.elements.skip(count, last=scan.closed and stop == len(scan.good))
                self._findings.stats.fast_records += count
                yield scan.block if whole else scan.block.rows_of(slice(taken, taken + count))
                taken += count
                self.position = end
                self._rest = 1
                continue
            if count >= _LONG_RUN and self._layouts_left:
                return
            while count and self.position < end and self.elements.value_due:
                parsed = self._one_by_one(data, base, count, final=final)
                if parsed.stopped:
                    return
                yield from self._reader.read(parsed.records, parsed.places)
                count -= len(parsed.records)
            if count or self.position != end or not self.elements.value_due:
                return  # a brace in a text was taken for a record's, or a comma is missing

    def _one_by_one(self, data: bytes, base: int, limit: int | None, *, final: bool) -> Parsed:
        parsed = self.elements.parse(data, self.position, base, limit, final=final)
        self.position = parsed.end
        return parsed
