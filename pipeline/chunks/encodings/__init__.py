"""Encodings of a block's column: one file for each kind of the format's page, listed here alone.

Whoever chooses, reads or writes an encoding finds it here, so that a new kind is a new file and a
line below. No file of this package imports numpy before it decodes arrays or encodes: the reader of
few rows does without.
"""

from __future__ import annotations

from cimis.pipeline.chunks.encodings.delta import Delta
from cimis.pipeline.chunks.encodings.delta2 import Delta2
from cimis.pipeline.chunks.encodings.double import Double
from cimis.pipeline.chunks.encodings.kind import Encoding, Kind, Predictor, Step
from cimis.pipeline.chunks.encodings.linear import Linear
from cimis.pipeline.chunks.encodings.predicted import Predicted
from cimis.pipeline.chunks.encodings.psychro import Psychro
from cimis.pipeline.chunks.encodings.reference import Reference

__all__ = [
    "DELTA",
    "DELTA2",
    "DOUBLE",
    "KINDS",
    "LINEAR",
    "PSYCHRO",
    "REFERENCE",
    "Encoding",
    "Kind",
    "Predicted",
    "Predictor",
    "Step",
    "kind_of",
]

REFERENCE = Reference()
DELTA = Delta()
DELTA2 = Delta2()
LINEAR = Linear()
PSYCHRO = Psychro()
DOUBLE = Double()

KINDS: tuple[Kind, ...] = (REFERENCE, DELTA, DELTA2, PSYCHRO, LINEAR, DOUBLE)
"""In the order in which a writer decides ties."""

_BY_NUMBER = {kind.number: kind for kind in KINDS}


def kind_of(number: int) -> Kind | None:
    """Return the kind of a number, None for one that the format does not have."""
    return _BY_NUMBER.get(number)
