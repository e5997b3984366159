"""Every error says what, where and what next, and carries its exit code and its facts."""

from __future__ import annotations

import datetime as dt
import json

from cimis.pipeline import errors


def test_every_error_has_a_documented_exit_code() -> None:
    classes = [getattr(errors, name) for name in errors.__all__]
    assert all(issubclass(c, errors.CimisError) for c in classes)
    assert {c.exit_code for c in classes} == {1, 2, 3, 4, 5, 6, 7, 8}


def test_a_request_error_carries_status_code_stations_and_dates() -> None:
    error = errors.RequestRefused(
        "station 999 not found",
        status=404,
        err_code="ERR1019",
        stations=[999],
        start=dt.date(2024, 1, 1),
        end=dt.date(2024, 1, 2),
    )
    facts = json.loads(json.dumps(error.as_dict()))
    assert facts["status"] == 404
    assert facts["err_code"] == "ERR1019"
    assert facts["stations"] == [999]
    assert facts["start"] == "2024-01-01"
    assert facts["retryable"] is False


def test_a_decode_error_names_record_station_date_key_and_offset() -> None:
    error = errors.DecodeError(
        "not a number", offset=812, record=3, station="2", date="2024-01-04", key="DayEto", text="x"
    )
    assert str(error) == "not a number: 'x' (record 3, station 2, 2024-01-04, DayEto, byte 812)"


def test_a_chunk_error_names_file_offset_and_reason() -> None:
    error = errors.ChunkError("checksum 1 but 2 was due", path="a/b.zst", offset=40)
    assert str(error) == "a/b.zst: checksum 1 but 2 was due (at byte 40)"


def test_only_what_may_pass_is_retryable() -> None:
    assert errors.RateLimited("429", retry_after_s=3).retryable
    assert errors.NetworkError("reset", kind="reset").retryable
    assert not errors.DecodeError("garbage").retryable
    assert not errors.AuthError("refused").retryable
