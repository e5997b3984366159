"""What a body has told so far: units, flag letters, targets, and keys that nobody knows."""

from __future__ import annotations

from dataclasses import dataclass, field

from cimis.pipeline.field.items import Item, Standard
from cimis.pipeline.field.units import unit_agrees

__all__ = ["MAX_FLAGS", "MAX_TARGETS", "DecodeStats", "Findings"]

MAX_FLAGS = 127
"""Most different flag texts of one body: their codes are int8."""

MAX_TARGETS = 100_000
_MAX_UNITS = 4096
_MAX_NAMED = 64


@dataclass(slots=True)
class DecodeStats:
    """Counts of one decoded body.

    ``records`` are those read, duplicates included; ``duplicates`` those dropped because a later
    record of the same batch has the same key; ``fast_records`` those that took the fast path;
    ``unknown_keys`` keys that are not the API's, counted per occurrence, with their names (the
    first 64) in ``unknown_names``; ``items`` the codes of the items of which a record had anything.
    """

    bytes: int = 0
    records: int = 0
    fast_records: int = 0
    batches: int = 0
    providers: int = 0
    duplicates: int = 0
    unknown_keys: int = 0
    unknown_names: list[str] = field(default_factory=list)
    items: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Findings:
    """Tables that all windows of one body share; every table is bounded.

    ``flag_codes`` tells the codes of flag texts met so far, ``agreed`` the pairs of JSON key and
    unit text that passed :meth:`check_unit`.
    """

    standard: Standard
    stats: DecodeStats = field(default_factory=DecodeStats)
    units: dict[str, str] = field(default_factory=dict)
    flags: list[str] = field(default_factory=lambda: [""])
    targets: list[str] = field(default_factory=list)
    flag_codes: dict[str, int] = field(default_factory=dict)
    _target_codes: dict[str, int] = field(default_factory=dict)
    agreed: set[tuple[str, str]] = field(default_factory=set)

    def flag_code(self, text: str | None) -> int:
        """Return the code of a flag as sent; 0 is the null flag (blank).

        Raises
        ------
        ValueError
            For more than 3 characters, for other than printable ASCII, for too many flags.
        """
        code = self.flag_codes.get(text or "")
        return self._new_flag(text or "") if code is None else code

    def _new_flag(self, text: str) -> int:
        flag = text.strip(" \t\r\n")
        if len(flag) > 3:
            raise ValueError("a flag of more than 3 characters")
        if not (flag.isascii() and flag.isprintable()):
            raise ValueError("a flag that is not printable ASCII")
        if flag not in self.flags:
            if len(self.flags) > MAX_FLAGS:
                raise ValueError(f"more than {MAX_FLAGS} different flags in one body")
            self.flags.append(flag)
        code = self.flags.index(flag)
        if len(self.flag_codes) < _MAX_UNITS:
            self.flag_codes[text] = code
        return code

    def target_code(self, text: str) -> int:
        """Return the code of a target text."""
        code = self._target_codes.get(text)
        if code is None:
            if len(self.targets) >= MAX_TARGETS:
                raise ValueError(f"more than {MAX_TARGETS} different targets in one body")
            text.encode()
            code = self._target_codes[text] = len(self.targets)
            self.targets.append(text)
        return code

    def check_unit(self, item: Item, key: str, text: str) -> None:
        """Check the unit text of an item (with its JSON key), and keep the first one met.

        Raises
        ------
        ValueError
            When it is the text of another unit.
        """
        if (key, text) in self.agreed:
            return
        if not unit_agrees(item, text, self.standard):
            due = item.unit(self.standard) or "no unit"
            raise ValueError(f"a unit that is not {self.standard} ({due} was due)")
        text.encode()
        self.units.setdefault(item.code, text)
        if len(self.agreed) < _MAX_UNITS:
            self.agreed.add((key, text))

    def count_unknown(self, name: str, times: int = 1) -> None:
        """Count a key that is not the API's."""
        stats = self.stats
        stats.unknown_keys += times
        if len(stats.unknown_names) < _MAX_NAMED and name[:80] not in stats.unknown_names:
            stats.unknown_names.append(name[:80])
