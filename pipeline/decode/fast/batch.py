"""The fast path: records of one known layout, found and converted all at once with numpy.

Every byte of a record is accounted for: the text between slots is compared with the learnt text,
slots hold what the general path would read the same way, and a record with anything else is left
to the general path.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from cimis.pipeline.decode.columns import Block
from cimis.pipeline.decode.fast.digits import read_values
from cimis.pipeline.decode.fast.headers import HeaderReader, Marks, Positions
from cimis.pipeline.decode.fast.template import Template
from cimis.pipeline.decode.findings import Findings
from cimis.pipeline.decode.records import RecordReader
from cimis.pipeline.field.items import Item, Scope
from cimis.pipeline.rows.numbers import narrowest
from cimis.pipeline.rows.schema import RANK

__all__ = ["FastPath", "Scan"]

# freeing one large block makes glibc keep what is freed later instead of giving it back to the
# system: without it every window's arrays are paged in anew, which costs as much as the work
np.empty(1 << 23, np.uint8)

_OPEN = 0x7B
_BLANK = 0x20
_NO_FLAG = 255
# bytes that stand for themselves in a JSON string
_LEGAL = np.array([0x20 <= b < 0x7F and chr(b) not in '"\\' for b in range(256)])
_END = re.compile(rb"(?<=\})[ \t\r\n]*\][ \t\r\n\]}]*\Z")
_LONGEST_END = 1024


@dataclass(slots=True)
class Scan:
    """Records found in a window.

    ``starts`` (N+1,) are the positions of N records and of the one behind them; ``good`` (N,) tells
    which were read, and ``block`` has the rows of those, in order. ``closed`` tells that the end of
    the array follows the last record instead of another.
    """

    starts: Positions
    good: Marks
    block: Block
    closed: bool = False

    def runs(self) -> Iterator[tuple[int, int, bool]]:
        """Give first record, last record + 1, and whether read, for each run of records."""
        turns = (np.flatnonzero(self.good[1:] != self.good[:-1]) + 1).tolist()
        for first, stop in pairwise([0, *turns, len(self.good)]):
            yield first, stop, bool(self.good[first])


class FastPath:
    """Reads windows by a template.

    Parameters
    ----------
    template : Template
    reader : RecordReader
        The general path, asked about headers not met before.
    findings : Findings
    """

    def __init__(
        self,
        template: Template,
        reader: RecordReader,
        findings: Findings,
    ) -> None:
        self.template = template
        self._headers = HeaderReader(template, reader)
        self._kind = reader.where_type
        self._hourly = reader.scope is Scope.HOURLY
        self._findings = findings
        # gathers read some bytes past a slot, never past the window
        front = template.front
        self._reach = template.width + front.head.words.nbytes + front.rest.words.nbytes
        self._reach += template.opening + 64
        self._flags = np.full(256, _NO_FLAG, np.uint8)
        self._flags[_BLANK] = 0
        columns = [(k, item) for k, item in enumerate(template.items) if item is not None]
        # columns of a batch are in registry order, those of a record need not be
        columns.sort(key=lambda pair: RANK[pair[1].code])
        self._items: tuple[Item, ...] = tuple(item for _, item in columns)
        order = [k for k, _ in columns]
        self._order = None if order == list(range(len(template.items))) else np.array(order, int)
        self._decimals = np.array(
            [0 if item is None else item.decimals(findings.standard) for item in template.items],
            np.int64,
        )

    def scan(self, data: bytes, position: int, *, final: bool) -> Scan | None:
        """Read the records that begin at a position; None where no whole record is found.

        The record behind the last start is left, as it may be cut, unless the body ends with it.
        """
        end = _END.search(data, max(position, len(data) - _LONGEST_END)) if final else None
        if end is None:
            return self._scan(data, position)
        # as if another record followed: then the last is like the others
        separator, head = self.template.separator, self.template.front.head.text
        padding = b" " * self._reach
        scan = self._scan(data[: end.start()] + separator + head + padding, position)
        if scan is not None and scan.starts[-1] == end.start() + len(separator):
            scan.starts[-1] = end.start()
            scan.closed = True
        return scan

    def _scan(self, data: bytes, position: int) -> Scan | None:
        template = self.template
        if len(data) - position < self._reach:
            return None
        braces = np.flatnonzero(np.frombuffer(data, np.uint8)[position:] == _OPEN) + position
        braces = braces[: np.searchsorted(braces, len(data) - self._reach)]
        per = len(template.items) + 1
        firsts = self._firsts(data, braces, per)
        if len(firsts) < 2 or braces[firsts[0]] != position:
            return None
        starts = braces[firsts]
        good = firsts[1:] - firsts[:-1] == per
        if good.all():
            opens = braces[: firsts[-1]].reshape(-1, per)
            ends = braces[1 : firsts[-1] + 1].reshape(-1, per)
        else:
            which = firsts[:-1][good][:, None] + np.arange(per)
            opens, ends = braces[which], braces[which + 1]
        if not len(opens):
            return Scan(starts, good, self._nothing())
        block, fine = self._read(data, opens, ends)
        if not fine.all():
            good[good] = fine
            block = block.rows_of(np.flatnonzero(fine))
        self._count_unknown(block.rows)
        return Scan(starts, good, block)

    def _firsts(self, data: bytes, braces: Positions, per: int) -> Positions:
        """Return which braces open records: each `per`-th if those look so, else all that do."""
        offset, word = self.template.probe
        eights = np.ndarray((len(data) - 7,), np.uint64, data, 0, (1,))
        regular = np.arange(0, len(braces), per)
        if bool((eights[braces[regular] + offset] == np.uint64(word)).all()):
            return regular
        return np.flatnonzero(eights[braces + offset] == np.uint64(word))

    def _read(self, data: bytes, opens: Positions, ends: Positions) -> tuple[Block, Marks]:
        """Return the rows of all candidate records, and which of them are fine."""
        values_at = opens[:, 1:] + self.template.opening
        values_end = ends[:, 1:] - self.template.until
        lasts, letters, fine = _between(data, self.template, values_end)
        numbers, decimals, valid, sound = read_values(
            data, values_at, values_end, lasts, self._decimals
        )
        fine &= sound
        flags = self._flag_codes(letters, fine)
        days, hours, where = self._headers.read(data, opens[:, 0], values_at[:, 0], fine)
        if self._order is not None:
            numbers, decimals = numbers[:, self._order], decimals[self._order]
            valid = None if valid is None else valid[:, self._order]
        kind = narrowest(numbers)
        block = Block(
            self._items,
            where,
            days,
            hours,
            numbers.T.astype(kind, order="C"),
            tuple(decimals.tolist()),
            None if valid is None else np.ascontiguousarray(valid.T),
            None if flags is None else np.ascontiguousarray(flags.T),
        )
        return block, fine

    def _flag_codes(
        self, letters: npt.NDArray[np.uint8], fine: Marks
    ) -> npt.NDArray[np.uint8] | None:
        """Return the codes of one-letter flags of the columns, None where all are blank."""
        if self._order is not None:
            fine &= _LEGAL[letters].all(axis=1)
            letters = letters[:, self._order]
        right = letters if fine.all() else letters[fine]
        used = np.flatnonzero(np.bincount(right.ravel())).tolist()
        if used == [_BLANK]:
            return None
        known = [self._flag_code(letter) for letter in used]
        codes = self._flags[letters]
        if _NO_FLAG in known:
            fine &= ~(codes == _NO_FLAG).any(axis=1)
        return codes

    def _flag_code(self, letter: int) -> int:
        """Return the code of a one-letter flag, `_NO_FLAG` for what JSON or we do not allow."""
        if self._flags[letter] == _NO_FLAG and _LEGAL[letter]:
            try:
                self._flags[letter] = self._findings.flag_code(chr(letter))
            except ValueError:
                return _NO_FLAG
        return int(self._flags[letter])

    def _count_unknown(self, rows: int) -> None:
        for name in self.template.unknown:
            self._findings.count_unknown(name, rows)

    def _nothing(self) -> Block:
        width = len(self._items)
        return Block(
            self._items,
            np.zeros(0, self._kind),
            np.zeros(0, np.int32),
            np.zeros(0, np.uint8) if self._hourly else None,
            np.zeros((width, 0), np.int16),
            tuple(item.decimals(self._findings.standard) for item in self._items),
            None,
            None,
        )


def _between(
    data: bytes, template: Template, values_end: Positions
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8], Marks]:
    """Compare the text from each value to the next.

    Returns the last byte of each value and its flag's letter, both (R, K), and the rows that are
    right.
    """
    width = template.width
    views = np.ndarray((len(data) - width + 1,), f"V{width}", data, 0, (1,))
    rows = views[values_end - 1]
    octets = rows.view(np.uint8).reshape(*values_end.shape, width)
    lasts = np.ascontiguousarray(octets[:, :, 0])
    letters = np.ascontiguousarray(octets[:, :, template.flag])
    wrong = rows.view(np.uint64)
    due, mask = template.between
    wrong ^= due
    wrong &= mask
    fine: Marks = np.ones(len(wrong), np.bool_)
    if np.bitwise_or.reduce(wrong, axis=None):
        fine &= ~wrong.any(axis=1)
    return lasts, letters, fine
