"""`cimis crop-et`: sums by week and since a date, the week to come, and what is refused."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest

from cimis import Store, UsageError, create
from cimis.pipeline.field.items import Scope
from tests.cli.conftest import typed
from tests.queries.conftest import put, year_table

if TYPE_CHECKING:
    from tests.cli.conftest import Typed

__all__ = ["typed"]

YEARS = range(2015, 2022)
BEANS = """\
[crop.beans]
source = "FAO-56, box 15"
start = "05-23"
initial = { days = 25, kc = 0.15 }
development = { days = 25 }
mid = { days = 30, kc = 1.19 }
late = { days = 20, kc = 0.35 }
"""
PLANTED = dt.date(2021, 5, 23)
JULY = ("--station", "5", "--start", "2021-07-01", "--end", "2021-07-31")
C = pl.col


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seven years of station 5, and one of station 6."""
    place = tmp_path_factory.mktemp("crops") / "data"
    items = "asce_eto,precip"
    put(place, [year_table(Scope.DAILY, 5, year, items=items) for year in YEARS])
    put(place, [year_table(Scope.DAILY, 6, 2021, items=items)])
    return place


@pytest.fixture
def crops(kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("CIMIS_DATA_DIR", str(kept))
    path = tmp_path / "crops.toml"
    path.write_text(BEANS)
    return str(path)


def kc_by_hand(day: dt.date) -> float:
    """Return the beans' coefficient on a day of 2021, after FAO-56, equation 66."""
    n = (day - PLANTED).days + 1
    if n <= 25:
        return 0.15
    if n <= 50:
        return 0.15 + (n - 25) / 25 * (1.19 - 0.15)
    return 1.19 if n <= 80 else 1.19 + (n - 80) / 20 * (0.35 - 1.19)


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_weeks_and_totals_are_sums_of_days_and_those_that_lack_are_counted(
    crops: str, kept: Path, typed: Typed
) -> None:
    answer = typed("crop-et", "--crops", crops, *JULY, "--format", "csv")
    assert answer.code == 0, answer.err
    rows = read(answer.out)
    with Store(kept) as store:
        days = store.daily(5, PLANTED, "2021-07-31", "asce_eto,precip", qc="drop-severe")
    assert days["asce_eto"].null_count() > 0
    used = days.with_columns(
        kc=C("date").map_elements(kc_by_hand, return_dtype=pl.Float64)
    ).with_columns(etc=C("asce_eto") * C("kc"))
    *weeks, coming = rows
    assert [row["basis"] for row in rows] == ["stored"] * 5 + ["historical average"]
    assert [row["first"] for row in rows][:2] == ["2021-07-01", "2021-07-04"]
    for row in weeks:
        first, last = dt.date.fromisoformat(row["first"]), dt.date.fromisoformat(row["last"])
        week = used.filter(C("date").is_between(first, last))
        total = used.filter(C("date") <= last)
        assert row["since"] == "2021-05-23"
        assert int(row["days"]) == week.height
        assert int(row["lacking"]) == week["asce_eto"].null_count()
        assert int(row["total_days"]) == (last - PLANTED).days + 1
        assert int(row["total_lacking"]) == int(row["total_days"]) - total["etc"].count()
        assert int(row["rain_lacking"]) == week["precip"].null_count()
        for name, due in (
            ("eto", week["asce_eto"].sum()),
            ("etc", week["etc"].sum()),
            ("rain", week["precip"].sum()),
            ("total", total["etc"].sum()),
            ("total_rain", total["precip"].sum()),
        ):
            assert float(row[name]) == pytest.approx(due, abs=0.00501), name
    assert "asce_eto lacks on days of 1 totals" in answer.err
    assert (coming["total"], coming["rain"], coming["since"]) == ("", "", "")


def test_the_week_to_come_is_the_average_of_the_unflagged_years(
    crops: str, kept: Path, typed: Typed
) -> None:
    words = ("--station", "5", "--end", "2021-07-31", "--format", "csv")
    coming = read(typed("crop-et", "--crops", crops, *words).out)[-1]
    with Store(kept) as store:
        past = store.daily(5, items="asce_eto", qc="strict")
    eto = etc = 0.0
    for number in range(1, 8):
        middle = dt.date(2021, 8, number)
        around = past.filter(
            pl.any_horizontal(
                C("date").is_between(
                    middle.replace(year=year) - dt.timedelta(days=7),
                    middle.replace(year=year) + dt.timedelta(days=7),
                )
                for year in YEARS
            )
        )
        mean = around["asce_eto"].drop_nulls().to_numpy().mean()
        eto += float(mean)
        etc += float(mean) * kc_by_hand(middle)
    assert (coming["basis"], coming["years"]) == ("historical average", "7")
    assert float(coming["eto"]) == pytest.approx(eto, abs=0.00501)
    assert float(coming["etc"]) == pytest.approx(etc, abs=0.00501)


def test_too_few_years_give_no_average_and_say_so(crops: str, typed: Typed) -> None:
    answer = typed("crop-et", "--crops", crops, "--station", "6", "--end", "2021-07-31", "--json")
    assert answer.code == 0, answer.err
    coming = json.loads(answer.out)[-1]
    assert (coming["etc"], coming["lacking"], coming["years"]) == (None, 7, None)
    assert "no average for 1 stations (6): normals need 5 years" in answer.err
    three = ("--station", "5", "--end", "2021-07-31", "--period", "2019-2021")
    assert "of 2019-2021 have enough" in typed("crop-et", "--crops", crops, *three).err


def test_days_before_the_season_do_not_count(crops: str, typed: Typed) -> None:
    words = ("--station", "5", "--end", "2021-05-25", "--format", "csv")
    row, _ = read(typed("crop-et", "--crops", crops, *words).out)
    assert (row["first"], row["last"], row["days"]) == ("2021-05-23", "2021-05-25", "3")


def test_without_a_season_in_these_days_it_says_so(crops: str, typed: Typed) -> None:
    answer = typed("crop-et", "--crops", crops, "--station", "5", "--end", "2021-12-31")
    assert answer.code == 3
    assert "no crop of the file is in season from 2021-12-25" in answer.err


def test_a_total_counts_from_the_day_that_is_given(crops: str, typed: Typed) -> None:
    words = ("crop-et", "--crops", crops, *JULY, "--format", "csv", "--total-from")
    first, *_, last, _ = read(typed(*words, "2021-07-01").out)
    assert first["total"] == first["etc"]
    assert (last["since"], last["total_days"]) == ("2021-07-01", "31")
    late = typed(*words, "2021-07-15")
    assert (late.code, "begins after the first day" in late.err) == (2, True)


def test_a_landscape_has_gallons(crops: str, kept: Path, typed: Typed) -> None:
    """ETo · 0.62 · factor · area, from 1 January."""
    words = ("--station", "5", "--end", "2021-07-31", "--units", "english", "--format", "csv")
    row, coming = read(typed("crop-et", "--landscape", "2500,0.55", *words).out)
    with Store(kept) as store:
        year = store.daily(5, "2021-01-01", "2021-07-31", "asce_eto", qc="drop-severe")
    inches = float(year["asce_eto"].sum()) / 25.4
    assert float(row["total"]) == pytest.approx(inches * 0.55, abs=0.00501)
    assert float(row["total_gallons"]) == pytest.approx(inches * 0.62 * 0.55 * 2500, abs=0.51)
    week = float(year.tail(7)["asce_eto"].sum()) / 25.4
    assert float(row["gallons"]) == pytest.approx(week * 0.62 * 0.55 * 2500, abs=0.51)
    assert (coming["total_gallons"], coming["gallons"] != "") == ("", True)


def test_units_stand_in_the_head(crops: str, typed: Typed) -> None:
    words = ("crop-et", "--crops", crops, *JULY, "--header", "units", "--format", "csv")
    assert "basis,etc [mm],total [mm],rain [mm],lacking,since,kc,eto [mm]" in typed(*words).out
    assert (
        "basis,etc [in],total [in],rain [in],lacking,since,kc,eto [in]"
        in typed(*words, "--units", "english").out
    )


@pytest.mark.parametrize(
    ("wrong", "line"),
    [
        (BEANS + "colour = 1\n", 8),
        (BEANS.replace("days = 30, kc = 1.19", "days = 30, kc = 11.9"), 6),
        (BEANS.replace('start = "05-23"\n', ""), 3),
        (BEANS.replace("days = 25 }", "days = }"), 5),
    ],
    ids=["unknown key", "no coefficient", "no start", "no TOML"],
)
def test_what_is_wrong_in_the_file_is_told_by_its_line(
    wrong: str, line: int, crops: str, typed: Typed
) -> None:
    Path(crops).write_text(wrong)
    answer = typed("crop-et", "--crops", crops, *JULY)
    assert (answer.code, answer.out) == (2, "")
    assert f"line {line}" in answer.err
    assert "crops.toml" in answer.err


@pytest.mark.parametrize(
    ("words", "due"),
    [
        ((), "neither crops nor a landscape"),
        (("--crops", "nowhere.toml"), "nowhere.toml cannot be read: No such file"),
        (("--landscape", "2500"), "'2500' is no landscape"),
        (("--landscape", "2500,-1"), "a landscape factor is a number from 0"),
        (("--landscape", "nan,0.5"), "a landscape area is a number from 0"),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
def test_what_cannot_be_meant_is_refused(
    words: tuple[str, ...], due: str, crops: str, typed: Typed
) -> None:
    answer = typed("crop-et", *words, *JULY)
    assert (answer.code, due in answer.err) == (2, True), answer.err


def test_two_references_are_never_mixed(crops: str, kept: Path, typed: Typed) -> None:
    answer = typed("crop-et", "--crops", crops, *JULY, "--reference", "eto", "--json")
    assert answer.code == 0
    assert "nothing holds eto" in answer.err
    assert "--reference asce_eto" in answer.err
    assert {row["etc"] for row in json.loads(answer.out)} == {None}
    with Store(kept) as store, pytest.raises(UsageError, match="no reference ET 'best'"):
        store.crop_et(crops, stations=5, reference="best")


def test_in_python_it_is_a_frame_of_the_same_rows(crops: str, kept: Path, typed: Typed) -> None:
    with Store(kept) as store:
        found = store.crop_et(crops, stations=5, start="2021-07-01", end="2021-07-31")
    told = json.loads(typed("crop-et", "--crops", crops, *JULY, "--json").out)
    assert found.pl()["etc"].to_list() == [row["etc"] for row in told]
    assert any("severely flagged" in note for note in found.notes)


def test_maize_at_davis_in_2016_is_the_archives_eto_times_its_curve(
    real: Path, tmp_path: Path, typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Read from the network's own file, in inches, with the example's curve written out."""
    archive = real / "ftp" / "dailyStns2016.zip"
    if not archive.exists():
        pytest.skip("the network's archive of 2016 is not among the real data")
    root = tmp_path / "davis"
    with create(root) as store:
        store.import_archive(archive, stations=6)
    monkeypatch.setenv("CIMIS_DATA_DIR", str(root))
    with zipfile.ZipFile(archive) as held:
        (name,) = [one for one in held.namelist() if one.endswith("006.csv")]
        lines = held.read(name).decode().splitlines()
    eto = {
        dt.datetime.strptime(cells[1], "%m/%d/%Y").date(): float(cells[3])  # noqa: DTZ007 # a day
        for cells in csv.reader(lines)
        if cells[3].strip()
    }
    planted, total = dt.date(2016, 4, 15), 0.0
    for number in range(1, 109):  # 30 days at 0.30, 40 up to 1.20, then level until 31 July
        kc = 0.30 if number <= 30 else min(0.30 + (number - 30) / 40 * 0.90, 1.20)
        total += eto[planted + dt.timedelta(days=number - 1)] * kc
    example = Path(__file__).parents[2] / "docs/crops.example.toml"
    words = ("--crops", example, "--station", "6", "--end", "2016-07-31", "--reference", "eto")
    rows = json.loads(typed("crop-et", *words, "--qc", "keep", "--json").out)
    (maize,) = [r for r in rows if r["crop"] == "grain-maize" and r["basis"] == "stored"]
    assert (maize["total_days"], maize["total_lacking"]) == (108, 0)
    assert maize["total"] == pytest.approx(total * 25.4, abs=0.00501)
