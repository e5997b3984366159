"""Real responses decode to exactly what a plain reading of them gives, however they are cut."""

from __future__ import annotations

from pathlib import Path

import pytest
from decode_bodies import batches
from decode_reference import reference, rows_of, same

from cimis.pipeline.decode import unify
from cimis.pipeline.field.items import Scope, Standard
from cimis.pipeline.rows.schema import item_of

SIZES = (1, 2, 3, 7, 64, 1000, 65536)


def _files(real: Path) -> list[tuple[Path, Scope, Standard]]:
    found = []
    for path in sorted((real / "api").glob("*/*.json")):
        if path.parent.name != "stations" and "stations" not in path.name:
            scope = Scope.HOURLY if path.parent.name == "hourly" else Scope.DAILY
            standard = Standard.ENGLISH if "english" in path.name else Standard.METRIC
            found.append((path, scope, standard))
    return found


def test_every_real_file_equals_the_reference(real: Path) -> None:
    """Values, flags, keys and order are those of json.loads and decimal.Decimal."""
    files = _files(real)
    assert len(files) > 40
    for path, scope, standard in files:
        data = path.read_bytes()
        found = batches(data, scope, standard=standard)
        due = reference(data, scope, standard=standard)
        assert sum(b.num_rows for b in found) == len(due), path.name
        if due:
            assert same(rows_of(unify(found)), due), path.name


@pytest.mark.parametrize(
    "size", [pytest.param(n, marks=[pytest.mark.slow] * (n in (2, 3))) for n in SIZES[:-1]]
)
def test_the_size_of_pieces_makes_no_difference(real: Path, size: int) -> None:
    """Pieces of any size give identical batches, metadata included."""
    for path, scope, standard in _files(real):
        data = path.read_bytes()
        if size < 7 and len(data) > 1_000_000:
            data = data[: data.rindex(b',{"Date"', 0, 400_000)] + b"]}]}}"
        whole = batches(data, scope, standard=standard)
        cut = batches(data, scope, size, standard=standard)
        assert len(whole) == len(cut)
        for one, other in zip(whole, cut, strict=True):
            assert one.equals(other, check_metadata=True), path.name


def test_units_are_kept_as_sent(real: Path) -> None:
    """A column's unit is the text of the response."""
    path = real / "api" / "hourly" / "wy2014_davis.json"
    path = path if path.exists() else real / "api" / "hourly" / "wy2014_brentwood.json"
    (batch,) = batches(path.read_bytes(), "hourly")
    units = {f.name: f.metadata[b"unit"].decode() for f in batch.schema if item_of(f)}
    assert units["wind_dir"] == "(°)"
    assert units["sol_rad"] == "(W./sq.m)"
