"""Answers as pandas frames and xarray data sets: cell by cell those of the Arrow table."""

from __future__ import annotations

import builtins
import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from cimis import UsageError
from cimis.pipeline.field.items import Scope
from cimis.pipeline.lacks import IncompleteAnswer
from cimis.store import Store, create
from tests.queries.conftest import put, year_table
from tests.queries.test_spatial_questions import stored as spatial

pd = pytest.importorskip("pandas", reason="pandas is missing: it is what answers are given to")
xr = pytest.importorskip("xarray", reason="xarray is missing: it is what answers are given to")

__all__ = ["spatial"]

SPAN: dict[str, Any] = {"start": "2021-03-20", "end": "2021-05-10"}
"""Days in which stations lack between none and six days."""

_EPOCH = dt.datetime(1970, 1, 1)  # noqa: DTZ001 - times are naive


def cells(table: pa.Table, who: str, when: str) -> dict[tuple[Any, Any, str], Any]:
    """Return every cell of a table by station (or target), moment and column."""
    found = {}
    for row in table.to_pylist():
        moment = row[when]
        if not isinstance(moment, dt.datetime):
            moment = dt.datetime(moment.year, moment.month, moment.day)  # noqa: DTZ001 - naive
        for name, value in row.items():
            found[row[who], moment, name] = value
    return found


def moments(values: Any) -> list[dt.datetime]:
    """Return datetime64 values as Python's."""
    return [
        _EPOCH + dt.timedelta(seconds=int(s)) for s in values.astype("datetime64[s]").astype(int)
    ]


def assert_same_cells(found: Any, table: pa.Table, who: str, when: str, beside: set[str]) -> None:
    """Compare a data set with a table, each cell, and hold that every other cell is empty."""
    due = cells(table, who, when)
    whom = found[who].values.tolist()
    times = moments(found["time"].values)
    names = [n for n in table.schema.names if n not in {who, when, *beside}]
    assert set(found.data_vars) == set(names)
    for name in names:
        assert found[name].dims == (who, "time")
        values = found[name].values
        for i, one in enumerate(whom):
            for j, moment in enumerate(times):
                value = due.get((one, moment, name))
                if name.endswith("_qc"):
                    assert values[i, j] == (value or "")
                elif value is None:
                    assert np.isnan(values[i, j])
                else:
                    assert values[i, j] == value


# pandas


@pytest.mark.parametrize("units", ["metric", "english"])
def test_a_frame_has_each_value_flag_and_unit(store: Store, units: str) -> None:
    rows = store.query(stations="2,5,7", units=units, **SPAN)
    table, frame = rows.table(), rows.df()
    assert list(frame.columns) == table.schema.names
    flags: set[str | None] = set()
    for name in table.schema.names:
        due = table[name].to_pylist()
        if name == "date":
            assert frame[name].dtype.kind == "M"
            assert [t.date() for t in frame[name]] == due
        elif name.endswith("_qc"):
            assert isinstance(frame[name].dtype, pd.CategoricalDtype)
            assert [None if pd.isna(flag) else flag for flag in frame[name]] == due
            flags |= set(due)
        else:
            assert [None if pd.isna(value) else value for value in frame[name]] == due
    assert len(flags) > 3
    symbols = {"metric": ("°C", "mm"), "english": ("°F", "in")}[units]
    assert (frame.attrs["units"]["air_tmp_avg"], frame.attrs["units"]["precip"]) == symbols
    assert frame.attrs["qc"] == "keep"
    assert "Pacific standard time" in frame.attrs["time_zone"]


def test_hours_are_naive_and_hour_24_is_midnight_of_the_next_day(store: Store) -> None:
    frame = store.hourly(2, "2021-06-01", "2021-06-02", "air_tmp", to="pandas")
    last = frame[frame["hour"] == 24]
    assert frame["time"].dtype.kind == "M"
    assert getattr(frame["time"].dtype, "tz", None) is None
    assert last["time"].tolist() == [pd.Timestamp("2021-06-02"), pd.Timestamp("2021-06-03")]
    assert last["date"].tolist() == [pd.Timestamp("2021-06-01"), pd.Timestamp("2021-06-02")]


def test_a_frame_of_no_rows_has_its_columns(store: Store) -> None:
    frame = store.query(stations=2, start="1990-01-01", end="1990-01-05").df()
    assert len(frame) == 0
    assert frame["asce_eto"].dtype == np.float64
    assert isinstance(frame["asce_eto_qc"].dtype, pd.CategoricalDtype)


def test_sql_sums_and_reckoned_answers_are_frames_too(store: Store) -> None:
    counted = store.sql("select station, count(*) as days from daily group by all order by 1").df()
    assert counted["station"].tolist() == [2, 5, 7, 80, 131]
    sums = store.every("month", stations=2, items="precip", units="english").df()
    assert sums.attrs["units"] == {"precip": "in"}
    assert sums["period"].dtype.kind == "M"
    far = store.query(stations=[2, 999], **SPAN).df()
    assert "999" in far.attrs["lacks"]


# xarray


@pytest.mark.parametrize("units", ["metric", "english"])
def test_a_cube_has_each_cell_and_nothing_where_no_row_is(store: Store, units: str) -> None:
    rows = store.query(stations="2,5,7", units=units, **SPAN)
    found = rows.xr()
    assert dict(found.sizes) == {"station": 3, "time": 52}
    assert rows.table().num_rows < 3 * 52
    assert_same_cells(found, rows.table(), "station", "date", set())
    assert found["air_tmp_avg"].attrs["units"] == {"metric": "degC", "english": "degF"}[units]


def test_a_cube_of_hours_names_the_networks_day_and_hour(store: Store) -> None:
    rows = store.query("hourly", stations="2,80", start="2021-04-08", end="2021-04-18")
    found = rows.xr()
    assert_same_cells(found, rows.table(), "station", "time", {"date", "hour"})
    assert found.sizes["time"] == 11 * 24
    assert found["hour"].values.tolist() == [*range(1, 25)] * 11
    midnight = found.sel(time="2021-04-09T00:00")
    assert int(midnight["hour"]) == 24
    assert midnight["date"].values == np.datetime64("2021-04-08")
    absent = found.sel(station=2, time="2021-04-12T05:00")
    assert np.isnan(absent["air_tmp"])
    assert not np.isnan(found.sel(station=2, time="2021-04-10T05:00")["rel_hum"])


def test_spatial_targets_are_a_dimension(spatial: tuple[Path, Any]) -> None:
    root, _ = spatial
    with Store(root) as store:
        rows = store.query(stations="targets", start="2022-12-30", end="2023-01-20")
        found = rows.xr()
        assert_same_cells(found, rows.table(), "target", "date", set())
        assert found.sizes["target"] == 5


def test_variables_say_what_they_are(store: Store) -> None:
    found = store.daily(2, items="air_tmp_avg,asce_eto,precip,wind_run", to="xarray", **SPAN)
    told = {name: found[name].attrs for name in found.data_vars}
    assert told["air_tmp_avg"]["standard_name"] == "air_temperature"
    assert told["air_tmp_avg"]["cell_methods"] == "time: mean"
    assert told["precip"]["standard_name"] == "lwe_thickness_of_precipitation_amount"
    assert told["asce_eto"]["long_name"] == "ASCE standardized short-crop reference ETo"
    assert "standard_name" not in told["asce_eto"]
    assert told["asce_eto"]["ancillary_variables"] == "asce_eto_qc"
    assert "Y: moderately outside historical limits" in told["asce_eto_qc"]["comment"]
    assert told["wind_run"]["units"] == "km"
    assert found.attrs["qc"] == "keep"
    assert "UTC-8" in found.attrs["time_zone"]
    assert "CIMIS" in found.attrs["source"]
    assert found.attrs["cimis_version"]


def test_stations_bring_their_names_and_places_as_far_as_they_are_known(store: Store) -> None:
    found = store.query(stations="2,131", items="precip", **SPAN).xr()
    assert found["station_name"].values.tolist() == ["FivePoints", ""]
    assert found["elevation"].values[0] == 87.0
    assert np.isnan(found["elevation"].values[1])
    assert found["elevation"].attrs["units"] == "m"
    assert "lat" not in found.coords


def test_whole_numbers_and_days_keep_their_kind_where_nothing_lacks(store: Store) -> None:
    found = store.sql(
        "select station, date, rel_hum_avg::int as wet, date - 1 as before from daily "
        "where station in (2, 5) and date between '2021-01-01' and '2021-01-03' "
        "and rel_hum_avg is not null"
    ).xr()
    assert found["before"].dtype.kind == "M"
    sums = store.every("year", stations="2,5", items="precip").xr()
    assert sums["precip_days"].dtype.kind == "i"
    assert dict(sums.sizes) == {"station": 2, "period": 3}
    assert sums["precip"].attrs["long_name"].startswith("sum of")


def test_reckoned_answers_have_their_own_dimensions(store: Store) -> None:
    network = store.query(stations="2,5", items="asce_eto", **SPAN).table()["asce_eto"]
    filled = store.filled("2,5", items="asce_eto", **SPAN)
    cube = filled.xr()
    assert dict(cube.sizes) == {"station": 2, "time": 52}
    assert (cube["asce_eto_source"].values == "network").sum() == len(network.drop_null())
    assert cube["asce_eto_from"].dtype.kind == "U"
    chill = store.chill(2022, stations="2,80", max_missing=1.0)
    assert dict(chill.xr().sizes) == {"station": 2, "winter": 1}
    assert chill.xr()["chill_portions"].values[0, 0] == chill.table["chill_portions"][0].as_py()


def test_rows_that_share_a_place_are_refused_and_other_dimensions_taken(store: Store) -> None:
    answer = store.sql(
        "select station, item, count(*) as n from (select station, 'a' as item from daily "
        "union all select station, 'b' as item from daily) group by all"
    )
    with pytest.raises(UsageError, match="10 rows have only 5 different places by station"):
        answer.xr(by=["station"])
    assert dict(answer.xr(by=["item", "station"]).sizes) == {"item": 2, "station": 5}
    with pytest.raises(UsageError, match="no column 'county'"):
        answer.xr(by=["county"])
    with pytest.raises(UsageError, match="neither station nor date"):
        store.sql("select count(*) as n from daily").xr()
    with pytest.raises(UsageError, match="1 row without station"):
        store.sql("select 2 as station, 1 as n union all select null, 2").xr()


def test_a_netcdf_file_gives_the_same_back(store: Store, tmp_path: Path) -> None:
    pytest.importorskip("h5netcdf", reason="h5netcdf is missing: it writes NetCDF")
    for number, rows in enumerate(
        (store.query(stations="2,5,131", **SPAN), store.query("hourly", stations="2", **SPAN))
    ):
        made = rows.xr()
        path = tmp_path / f"{number}.nc"
        made.to_netcdf(path)
        with xr.open_dataset(path) as back:
            xr.testing.assert_identical(back.load(), made)


def test_a_cube_of_no_rows_has_its_variables(store: Store) -> None:
    found = store.query(stations=2, start="1990-01-01", end="1990-01-05").xr()
    assert dict(found.sizes) == {"station": 0, "time": 0}
    assert found["asce_eto"].attrs["units"] == "mm"


# both


def test_plain_frames_warn_of_what_they_lack_in_each_form(store: Store) -> None:
    for form in ("polars", "pandas", "xarray"):
        with pytest.warns(IncompleteAnswer, match="999") as caught:
            store.daily([2, 999], to=form, **SPAN)
        assert caught[0].filename == __file__


def test_an_unknown_form_is_refused(store: Store) -> None:
    with pytest.raises(UsageError, match="no data frame of 'spark'"):
        store.daily(2, to="spark")


@pytest.mark.parametrize(("library", "ask"), [("pandas", "df"), ("xarray", "xr")])
def test_a_missing_library_is_one_line_that_names_its_extra(
    store: Store, library: str, ask: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    plain = builtins.__import__

    def absent(name: str, *rest: Any, **more: Any) -> Any:
        if name.partition(".")[0] == library:
            raise ImportError(name)
        return plain(name, *rest, **more)

    monkeypatch.setitem(sys.modules, library, None)
    monkeypatch.setattr(builtins, "__import__", absent)
    call: Callable[[], Any] = getattr(store.query(stations=2, **SPAN), ask)
    with pytest.raises(UsageError) as caught:
        call()
    assert f"{library} is not installed" in str(caught.value)
    assert caught.value.hint == f"pip install 'cimis[{library}]'"


def test_many_stations_and_years_are_laid_out_at_once(tmp_path: Path) -> None:
    """Each value of a hundred station-years is where its station and day are."""
    stations = range(1, 26)
    put(tmp_path, [year_table(Scope.DAILY, s, y) for s in stations for y in range(2018, 2022)])
    with create(tmp_path) as store:
        rows = store.query(items="asce_eto")
        table, found = rows.table(), rows.xr()
        assert dict(found.sizes) == {"station": 25, "time": 4 * 365 + 1}
        values = found["asce_eto"].values
        day = table["date"].to_numpy().astype("datetime64[D]") - np.datetime64("2018-01-01")
        own = values[table["station"].to_numpy().astype(int) - 1, day.astype(int)]
        due = table["asce_eto"].to_numpy()
        assert np.array_equal(own, due, equal_nan=True)
        assert np.isfinite(values).sum() == np.isfinite(due).sum()
