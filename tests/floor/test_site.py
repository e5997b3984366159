"""Numbers of stations and of spatial targets never meet, and a number tells which it is."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cimis.pipeline.chunks.key import ChunkKey
from cimis.pipeline.field.items import Scope
from cimis.pipeline.field.site import (
    LARGEST_STATION,
    SiteKind,
    kind_of_number,
    number_of_target,
    place_of_target,
)
from cimis.pipeline.rows.schema import KEY_FIELDS, TARGET_FIELD


@given(st.integers(0, LARGEST_STATION))
def test_no_stations_number_is_taken_for_a_targets(number: int) -> None:
    assert kind_of_number(number) is SiteKind.STATION


@given(st.integers(0, 100_000))
def test_a_targets_number_tells_its_place(place: int) -> None:
    number = number_of_target(place)
    assert kind_of_number(number) is SiteKind.TARGET
    assert place_of_target(number) == place


def test_a_kind_names_the_column_of_its_rows() -> None:
    assert KEY_FIELDS[Scope.DAILY][0].name == SiteKind.STATION
    assert TARGET_FIELD.name == SiteKind.TARGET
    assert ChunkKey(Scope.DAILY, 2024, station=2).kind is SiteKind.STATION
    assert ChunkKey(Scope.DAILY, 2024, target="zip:93624").kind is SiteKind.TARGET
