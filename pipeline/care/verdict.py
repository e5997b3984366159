"""What checking a store found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from cimis.pipeline.chunks import ChunkInfo
from cimis.pipeline.markup import FIRST, Card, Sheet, counted, sized

__all__ = ["Finding", "Verdict"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault: which file (path below the data directory), what is wrong, what was done."""

    path: str
    reason: str
    repair: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the facts as JSON-ready values."""
        return {"path": self.path, "reason": self.reason, "repair": self.repair}


@dataclass(slots=True)
class Verdict:
    """What was checked and found; sound when there are no findings that were not repaired.

    ``damaged`` counts chunks that cannot be read, also those that a repair moved away.
    """

    chunks: int = 0
    rows: int = 0
    file_bytes: int = 0
    damaged: int = 0
    findings: list[Finding] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def count(self, info: ChunkInfo | None) -> None:
        """Count a chunk; None is one that cannot be read."""
        self.chunks += 1
        if info is None:
            self.damaged += 1
            return
        self.rows += info.footer.rows
        self.file_bytes += info.file_bytes
        suspicion = info.footer.suspicion
        if suspicion is not None and suspicion not in self.warnings:
            self.warnings.append(suspicion)

    @property
    def sound(self) -> bool:
        """Whether every fault, if there was one, has been repaired."""
        return all(finding.repair is not None for finding in self.findings)

    def _card(self) -> Card:
        faults = sum(finding.repair is None for finding in self.findings)
        title = "Sound" if self.sound else f"Not sound: {counted(faults, 'fault')}"
        facts = {
            "chunks": f"{self.chunks:,}",
            "rows": f"{self.rows:,}",
            "bytes": sized(self.file_bytes),
            "damaged chunks": f"{self.damaged:,}",
        }
        rows = [(one.path, one.reason, one.repair or "not repaired") for one in self.findings]
        sheets = (Sheet.of("Found", ("file", "what is wrong", "repair"), rows),) if rows else ()
        notes = [*self.warnings[:FIRST]]
        if len(self.warnings) > FIRST:
            notes.append(f"and {counted(len(self.warnings) - FIRST, 'more warning')}")
        if not self.sound:
            notes.append("next: verify(repair=True) mends the catalog, sets damaged chunks aside")
        elif not self.chunks:
            notes.append("nothing is stored yet")
        return Card("Verdict", title, facts, sheets, notes)

    def __repr__(self) -> str:
        return self._card().line()

    def _repr_html_(self) -> str:
        return self._card().html()

    def as_dict(self) -> dict[str, Any]:
        """Return the verdict as JSON-ready values."""
        return {
            "sound": self.sound,
            "chunks": self.chunks,
            "rows": self.rows,
            "bytes": self.file_bytes,
            "findings": [finding.as_dict() for finding in self.findings],
            "warnings": self.warnings,
        }
