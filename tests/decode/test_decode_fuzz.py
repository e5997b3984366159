"""A short form of the fuzz; the long one is a program of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from decode_reference import reference
from fuzz_decode import run, seeds

from cimis.pipeline.decode import StreamDecoder


@pytest.mark.parametrize("number", range(4))
def test_mutated_bodies_are_refused_or_read_exactly(number: int) -> None:
    """Never other rows than the reference's, never another exception, never a hang."""
    outcomes = run(1500, number)
    assert sum(outcomes.values()) == 1500
    assert outcomes["refused"] > 300
    assert outcomes["fast"] > 50
    assert outcomes["general"] > 20


def test_mutated_real_bodies(real: Path) -> None:
    """The same with the heads of real responses among the bodies."""
    assert sum(run(1500, 9, real / "api").values()) == 1500


def test_the_bodies_themselves_are_right() -> None:
    """What is mutated decodes without a change, so that mutations are what is tested."""
    for data, scope, standard, key in seeds(None):
        decoder = StreamDecoder(scope, standard=standard, key=key)  # type: ignore[arg-type]  # one of the two texts
        decoder.feed(data)
        decoder.finish()
        assert decoder.stats.records == len(reference(data, scope, None, standard, key)) > 1
