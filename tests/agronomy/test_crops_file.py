"""A file of crops is read strictly, and what is wrong with it is told by its line."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cimis.agronomy.crop import Coefficients, Dates, Lengths
from cimis.agronomy.crops_file import parse_crops
from cimis.agronomy.toml_lines import lines_of
from cimis.pipeline.errors import UsageError

BEANS = """\
[crop.beans]
title = "Dry beans"
source = "FAO-56, box 15"
start = 1974-05-23
initial = { days = 25, kc = 0.15 }
development = { days = 25 }
mid = { days = 30, kc = 1.19 }
late = { days = 20, kc = 0.35, source = "FAO-56, table 12" }
"""
ORCHARD = """\
# an orchard that is in leaf from March to October
[crop.orchard]
[crop.orchard.initial]
from = "03-01"
to = "03-31"
kc = 0.4
source = "S1"
[crop.orchard.development]
from = "04-01"
to = "05-31"
[crop.orchard.mid]
from = "06-01"
to = "09-15"
kc = 0.9
source = "S2"
[crop.orchard.late]
from = "09-16"
to = "10-31"
kc = 0.65
source = "S3"
"""
CITRUS = """\
crop.citrus.source = "S"
crop.citrus.initial = { from = "11-01", to = "01-31", kc = 0.7 }
crop.citrus.development = { from = "02-01", to = "02-28" }
crop.citrus.mid = { from = "03-01", to = "08-31", kc = 0.65 }
crop.citrus.late = { from = "09-01", to = "10-31", kc = 0.7 }
"""


def days(first: str, last: str) -> Dates:
    return np.arange(np.datetime64(first), np.datetime64(last) + np.timedelta64(1, "D"))


def test_stages_of_days_from_a_date_are_one_season() -> None:
    crop = parse_crops(BEANS)["beans"]
    assert (crop.title, crop.yearly, crop.by_days) == ("Dry beans", False, True)
    assert crop.season.lengths == Lengths(25, 25, 30, 20)
    assert crop.season.kc == Coefficients(0.15, 1.19, 0.35)
    kc = crop.kc_on(days("1974-05-22", "1974-08-31"))
    assert np.isnan(kc[[0, -1]]).all()
    assert kc[[20, 40, 70, 95]].round(2).tolist() == [0.15, 0.77, 1.19, 0.56]


def test_a_coefficient_has_the_nearest_source() -> None:
    sources = parse_crops(BEANS)["beans"].sources
    assert sources == dict.fromkeys(("initial", "mid"), "FAO-56, box 15") | {
        "late": "FAO-56, table 12"
    }


def test_stages_between_dates_come_every_year() -> None:
    crop = parse_crops(ORCHARD)["orchard"]
    kc = crop.kc_on(days("2023-01-01", "2025-12-31"))
    assert np.isfinite(kc).sum() == 3 * 245
    at = np.array(["2024-03-01", "2025-06-01", "2023-10-31", "2023-11-01"], dtype="datetime64[D]")
    np.testing.assert_allclose(crop.kc_on(at), [0.4, 0.9, 0.65, np.nan])


def test_a_crop_may_be_on_over_new_year_without_a_gap() -> None:
    crop = parse_crops(CITRUS)["citrus"]
    kc = crop.kc_on(days("2023-01-01", "2025-12-31"))
    assert np.isfinite(kc).all()
    assert crop.season_of(2023).starts[1] == dt.date(2024, 2, 1)
    assert crop.season_of(2023).end == dt.date(2024, 10, 31)


def test_a_season_until_the_end_of_february_has_its_29th() -> None:
    text = CITRUS
    for old, new in (
        ("11-01", "03-01"),
        ("01-31", "05-31"),
        ("02-01", "06-01"),
        ("02-28", "07-31"),
    ):
        text = text.replace(f'"{old}"', f'"{new}!"')
    text = text.replace('"03-01", to = "08-31"', '"08-01", to = "12-31"')
    text = text.replace('"09-01", to = "10-31"', '"01-01", to = "02-28"').replace('!"', '"')
    kc = parse_crops(text)["citrus"].kc_on(days("2023-06-01", "2024-06-01"))
    assert np.isfinite(kc).all()


def test_days_from_a_day_of_every_year() -> None:
    crop = parse_crops(BEANS.replace("1974-05-23", '"05-23"'))["beans"]
    kc = crop.kc_on(days("2024-01-01", "2025-12-31"))
    assert np.isfinite(kc).sum() == 200


def test_a_file_may_hold_many_crops_in_its_order() -> None:
    assert list(parse_crops(BEANS + ORCHARD)) == ["beans", "orchard"]


def test_no_days_have_no_coefficients() -> None:
    assert parse_crops(ORCHARD)["orchard"].kc_on(np.array([], dtype="datetime64[D]")).size == 0


@pytest.mark.parametrize(
    ("text", "old", "new", "says"),
    [
        (BEANS, "title =", "name =", "line 2: unknown key 'name'"),
        (BEANS, "days = 25 }", "days = 25, kcb = 1 }", "line 6: unknown key 'kcb'"),
        (BEANS, "[crop.beans]", "[crops.beans]", "line 1: unknown key 'crops'"),
        (BEANS, "mid = { days = 30, kc = 1.19 }\n", "", "line 1: crop beans mid is missing"),
        (BEANS, "{ days = 25 }", "25", "line 6: crop beans development is no table"),
        (BEANS, "days = 25 }", "days = 25, kc = 1 }", "line 6: development has no kc"),
        (BEANS, "kc = 1.19", 'kc = "1.19"', "line 7: kc of mid is '1.19'; a number from 0 to 2"),
        (BEANS, "kc = 1.19", "kc = 119", "line 7: kc of mid is 119"),
        (BEANS, "kc = 1.19", "kc = nan", "line 7: kc of mid is nan"),
        (BEANS, "kc = 1.19", "kc = true", "line 7: kc of mid is True"),
        (BEANS, ", kc = 1.19", "", "line 7: kc of mid is missing"),
        (BEANS, 'source = "FAO-56, box 15"\n', "", "line 4: the kc of initial has no source"),
        (BEANS, '"FAO-56, box 15"', '" "', "line 3: source is a text"),
        (BEANS, '"Dry beans"', "3", "line 2: title is a text"),
        (BEANS, "1974-05-23", '"23 May"', "line 4: start is '23 May'"),
        (BEANS, "1974-05-23", '"02-29"', "line 4: start is '02-29'"),
        (BEANS, "1974-05-23", "1974-05-23T00:00:00", "line 4: start is"),
        (BEANS, "days = 30", "days = 0", "line 7: days of mid: a whole number from 1"),
        (BEANS, "days = 30", "days = 2.5", "line 7: days of mid: a whole number from 1"),
        (BEANS, "days = 30", "days = 330", "line 7: the season is longer than a year"),
        (BEANS, "days = 30", 'days = 30, from = "07-12"', "line 7: from: stages from a start"),
        (BEANS, "start = 1974-05-23\n", "", "line 4: days need a start"),
        (ORCHARD, 'to = "05-31"\n', "", "line 8: development lacks to"),
        (ORCHARD, '"06-01"', '"05-20"', "line 12: mid overlaps the stage before it"),
        (ORCHARD, '"06-01"', '"06-03"', "line 12: mid leaves days out before it"),
        (ORCHARD, '"06-01"', "2024-06-01", "line 12: dates of one year and of every year are mix"),
        (ORCHARD, '"05-31"', '"03-20"', "line 10: the dates of development are out of order"),
        (ORCHARD, '"10-31"', '"03-01"', "line 18: the dates of late are out of order"),
    ],
)
def test_what_is_wrong_is_told_by_its_line(text: str, old: str, new: str, says: str) -> None:
    assert old in text
    with pytest.raises(UsageError) as caught:
        parse_crops(text.replace(old, new, 1), name="my.toml")
    assert str(caught.value).startswith(f"my.toml, {says}")


def test_dates_of_one_year_run_forward() -> None:
    dated = ORCHARD
    for month in range(3, 11):
        for day in ("01", "15", "16", "30", "31"):
            dated = dated.replace(f'"{month:02d}-{day}"', f"2024-{month:02d}-{day}")
    assert not parse_crops(dated)["orchard"].yearly
    with pytest.raises(UsageError, match="line 10: the dates of development are out of order"):
        parse_crops(dated.replace("2024-05-31", "2023-05-31"))
    with pytest.raises(UsageError, match="line 12: mid overlaps"):
        parse_crops(dated.replace("2024-06-01", "2024-05-01"))


@pytest.mark.parametrize("text", ["", "[crop]", "crop = 1", "[crop.x\n"])
def test_a_file_without_crops_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="crops file"):
        parse_crops(text)


def test_what_is_no_toml_has_the_line_of_the_parser() -> None:
    with pytest.raises(UsageError, match=r"my\.toml is not TOML: .*line 4"):
        parse_crops(BEANS.replace("start = 1974-05-23", "start ="), name="my.toml")


def test_lines_of_texts_are_no_keys() -> None:
    text = 'a = """\n[b]\nc = 1\n"""\n"d e".f = 2\n[[g]]\nh = 1\n'
    lines = lines_of(text)
    assert dict(lines) == {("a",): 1, ("d e",): 5, ("d e", "f"): 5, ("g",): 6, ("g", "h"): 7}
    assert lines["d e", "f", "x"] == 5
    assert lines["x",] == 1


@given(st.text(alphabet="[]{}=.\"#-abkc \n'0123456789", max_size=80))
def test_any_text_is_read_or_refused(text: str) -> None:
    lines_of(text)
    with pytest.raises(UsageError):
        parse_crops(text)


def test_the_example_file_is_read_and_cites_each_coefficient() -> None:
    text = (Path(__file__).parents[2] / "docs" / "crops.example.toml").read_text(encoding="utf-8")
    crops = parse_crops(text)
    assert list(crops) == ["almonds", "table-grapes", "grain-maize", "dry-beans"]
    assert all("FAO-56" in source for crop in crops.values() for source in crop.sources.values())
    assert crops["dry-beans"].season.lengths == Lengths(25, 25, 30, 20)
