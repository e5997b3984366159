"""Spatial targets: what people write, what the service is sent, and how its answers are known."""

from __future__ import annotations

import pytest

from cimis.pipeline.errors import UsageError
from cimis.pipeline.field.site import number_of_target
from cimis.pipeline.field.targets import (
    Naming,
    address_target,
    coordinate_target,
    target_of_key,
    zip_target,
)


def test_each_kind_has_a_key_and_a_form_that_the_service_takes() -> None:
    assert zip_target(" 93624-1234 ").key == "zip:93624"
    point = coordinate_target("34.990,-118.3400")
    assert (point.key, point.sent) == ("coordinate:34.99,-118.34", "lat=34.99,lng=-118.34")
    office = address_target("HQ = 1416 9th St, Sacramento, CA")
    assert (office.key, office.sent) == (
        "address:HQ",
        "addr-name=HQ,addr=1416 9th St, Sacramento, CA",
    )


def test_an_address_without_a_name_is_called_by_itself() -> None:
    assert address_target("1416 9th St, Sacramento").key == "address:1416 9th St Sacramento"


@pytest.mark.parametrize(
    ("key", "texts"),
    [
        ("zip:93624", ["93624", " 93624"]),
        ("coordinate:34.99,-118.34", ["lat=34.99,lng=-118.34", "lat=34.990000, lng=-118.340"]),
        ("address:HQ", ["HQ"]),
    ],
)
def test_the_service_may_write_a_target_in_another_way(key: str, texts: list[str]) -> None:
    assert all(target_of_key(key).is_meant_by(text) for text in texts)
    assert not any(target_of_key(key).is_meant_by(text + "1") for text in texts)


def test_numbers_stand_for_targets_in_their_order() -> None:
    naming = Naming((zip_target("93624"), zip_target("95616")))
    first, second = number_of_target(0), number_of_target(1)
    assert naming.names((2, first, second)) == (2, "zip:93624", "zip:95616")
    assert naming.number_of("95616", (first, second)) == second
    assert naming.number_of("95616", (first,)) is None


@pytest.mark.parametrize("key", ["", "zip", "zip:", "zip:abc", "coordinate:1,2", "address:", "x:1"])
def test_what_is_no_target_is_refused(key: str) -> None:
    with pytest.raises(UsageError):
        target_of_key(key)
