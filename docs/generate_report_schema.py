"""Write ``docs/report.schema.json`` from the classes of a run's report; a test compares the two.

Which fields there are, and that all are there, comes from what the classes print; types come from
their annotations. `SAID` adds what a type cannot say. A field whose type is not known from either,
and something said of a field that is gone, end the generator.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
import types
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

from cimis.pipeline.decode.allocs import AllocReport
from cimis.pipeline.errors import CimisError
from cimis.pipeline.fetch import FetchRequest, RunReport
from cimis.pipeline.fetch.report.station_year import StationYear
from cimis.pipeline.field.items import Scope, resolve
from cimis.pipeline.lacks import Lacks
from cimis.pipeline.plan.window import Window
from cimis.pipeline.service import Timings

PAGE = Path(__file__).with_name("report.schema.json")

Schema = dict[str, Any]

_SITE: Schema = {
    "type": ["integer", "string"],
    "description": "A station's number, or a spatial target as zip:93624.",
}
_SITES: Schema = {"type": "array", "items": _SITE}
_RATIO: Schema = {
    "type": ["number", "null"],
    "exclusiveMinimum": 0,
    "description": "Decoded bytes by bytes of the wire; null where nothing came.",
}
_ENCODING = (
    "How the answers were compressed: gzip, zstd, deflate; identity for not at all; "
    "null where none came."
)
_ALLOCS: Schema = {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/allocs"}]}
_NONE: Schema = {"type": "array", "maxItems": 0}

SAID: dict[str, dict[str, Schema]] = {
    "report": {
        "timestamp": {
            "type": "string",
            "format": "date-time",
            "description": "When the run began.",
        },
        "items": {"minItems": 1},
        "format": {"enum": ["v1", "v2"]},
        "path": {"enum": ["streaming", "plain"]},
        "exit_code": {"maximum": 8},
        "error": {"description": "What kept the run from beginning."},
        "totals": {"$ref": "#/$defs/totals"},
        "timings": {"$ref": "#/$defs/timings"},
        "plan": {"type": "array", "items": {"$ref": "#/$defs/window"}},
    },
    "timings": {
        "connect_ms": {"description": "Look-up of the host's name, and connecting."},
        "tls_ms": {"description": "TLS handshake; 0 without TLS."},
        "ttfb_ms": {"description": "From sending the request to the answer's first byte."},
        "read_ms": {"description": "Waiting for the body's bytes."},
        "decode_ms": {"description": "Inflating and decoding."},
        "write_ms": {"description": "Merging, encoding, writing and checking chunks."},
        "total_ms": {
            "description": "Wall time of the requests and of writing, also what waited for a"
            " connection; not the waits between tries."
        },
    },
    "allocs": {
        "bytes_per_record": {"type": "number", "minimum": 0},
        "bytes_kept": {"type": "integer", "minimum": 0},
        "python_objects": {"type": "integer", "minimum": None},
        "python_peak_bytes": {"type": ["integer", "null"]},
        "arrow_peak_bytes": {"type": "integer", "minimum": None},
        "rss_peak_above_start_bytes": {"type": "integer", "minimum": None},
    },
    "result": {
        "station": {
            "type": ["integer", "null"],
            "minimum": 1,
            "description": "null for a spatial target",
        },
        "target": {
            "description": "kind:name of a spatial target, as zip:93624; null for a station"
        },
        "year": {"minimum": 1982},
        "success": {"description": "All that was asked for came and is stored, or was before."},
        "records": {
            "description": "Records of this run that now lie in the chunk; the same as stored."
        },
        "expected": {"description": "Records of the days asked for."},
        "added": {"description": "Stored records that are new."},
        "revised": {"description": "Stored records that differ from what was stored before."},
        "filled": {"description": "stored records in which only missing values came"},
        "absent_days": {"description": "Days asked for without any record."},
        "skipped_days": {"description": "Days stored and final before, not asked for."},
        "state": {
            "enum": ["final", "provisional", None],
            "description": "Whether the chunk may still change; null where none was written.",
        },
        "attempts": {"description": "Tries of those requests."},
        "bytes_transferred": {
            "description": "Body bytes of the wire, still compressed;"
            " the share of this station's days."
        },
        "bytes_stored": {"description": "Size of the chunk file; 0 where none was written."},
        "content_encoding": {"description": _ENCODING},
        "compression_ratio": _RATIO,
        "alloc_metrics": _ALLOCS,
    },
    "totals": {
        "success": {"description": "Stations that succeeded in every year."},
        "failed_stations": _SITES,
        "requests": {"description": "Requests sent for data, repeated ones included."},
        "splits": {"description": "Requests replaced by smaller ones."},
        "compression_ratio": _RATIO,
        "content_encoding": {"type": ["string", "null"], "description": _ENCODING},
        "alloc_metrics": _ALLOCS,
    },
    "window": {"stations": _SITES | {"minItems": 1}},
    "lacks": {
        "unit": {"enum": ["days", "hours"]},
        "failed": _SITES,
        "without_rows": _SITES,
        "short": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "station": _SITE,
                    "present": {"type": "integer", "minimum": 0},
                    "asked": {"type": "integer", "minimum": 1},
                },
                "required": ["station", "present", "asked"],
                "additionalProperties": False,
            },
        },
        "items_of": _NONE,
        "damaged": _NONE,
        "not_over": {"type": "null"},
    },
}
_OF: dict[str, str] = {
    "timings": "Milliseconds by phase, tries that failed included; of a request that serves several"
    " stations each has its share by days. 0 for a phase that did not happen: a request on a"
    " standing connection has no connect or tls.",
    "allocs": "What --allocs measured.",
    "result": "One station's or spatial target's year.",
    "totals": "Sums over all stations and years.",
    "window": "One request as planned.",
    "lacks": "What the run got less than was asked; its text is empty where nothing lacks.",
}
_ERROR: Schema = {
    "description": "Why it failed.",
    "type": "object",
    "properties": {
        "class": {"type": "string", "description": "Class of the error in cimis.pipeline.errors."},
        "message": {"type": "string", "minLength": 1},
        "retryable": {"type": "boolean", "description": "Whether trying again later may help."},
        "hint": {"type": "string", "description": "What to do."},
        "status": {"type": "integer", "description": "HTTP status."},
        "err_code": {"type": "string", "pattern": "^ERR[0-9]{4}$"},
        "kind": {
            "type": "string",
            "description": "Kind of a failure of the network: dns, refused, reset, eof,"
            " read_timeout, tls, corrupt_body and so on.",
        },
        "retry_after_s": {"type": "number", "minimum": 0},
        "stations": _SITES,
        "start": {"$ref": "#/$defs/day"},
        "end": {"$ref": "#/$defs/day"},
    },
    "additionalProperties": True,  # each class of the tree has facts of its own
}
_DEFINED: Mapping[type, str] = {
    CimisError: "error",
    Timings: "timings",
    StationYear: "result",
    Lacks: "lacks",
    Window: "window",
}
_PLAIN: Mapping[type, Schema] = {
    bool: {"type": "boolean"},
    int: {"type": "integer", "minimum": 0},
    float: {"type": "number", "minimum": 0},
    str: {"type": "string"},
    dt.date: {"$ref": "#/$defs/day"},
}
_DAY = dt.date(2024, 1, 1)


def schema() -> Schema:
    """Return the whole schema."""
    request = FetchRequest((2,), _DAY, _DAY, items=resolve("precip", Scope.DAILY))
    report = RunReport.of(request, dt.datetime(2024, 1, 2, tzinfo=dt.UTC))
    window = Window((2,), request.scope, _DAY, _DAY, request.items)
    defined = {
        "day": {"type": "string", "format": "date", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"},
        "timings": _object("timings", Timings, Timings().as_dict()),
        "error": _ERROR | {"required": sorted(CimisError("why").as_dict())},
        "allocs": _object("allocs", AllocReport, AllocReport().as_dict()),
        "result": _object("result", StationYear, StationYear(2, 2024).as_dict()),
        "carried_out": {
            "description": "Of a run that was carried out, each result is a success or has its"
            " error.",
            "oneOf": [
                {"properties": {"success": {"const": True}, "error": {"type": "null"}}},
                {"properties": {"success": {"const": False}, "error": {"$ref": "#/$defs/error"}}},
            ],
        },
        "totals": _object("totals", dict, report.totals()),
        "window": _object("window", Window, window.as_dict()),
        "lacks": _object("lacks", Lacks, Lacks().as_dict()),
    }
    carried_out = {"properties": {"results": {"items": {"$ref": "#/$defs/carried_out"}}}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Report of a fetch",
        "description": "What cimis fetch, fetch-streaming and ingest print with --json: one"
        " document on standard output, also where some or all stations failed and where the run was"
        " stopped.",
        **_object("report", RunReport, report.as_dict()),
        "if": {"properties": {"dry_run": {"const": False}}},
        "then": carried_out,
        "$defs": defined,
    }


def _object(name: str, kind: type, printed: Mapping[str, Any]) -> Schema:
    """Return the schema of what a class prints: every field, each required, and no other."""
    said = SAID.get(name, {})
    if gone := said.keys() - printed.keys():
        raise SystemExit(f"{name} has no field {', '.join(sorted(gone))} any more")
    fields = {
        key: _field(name, kind, key, value, said.get(key, {})) for key, value in printed.items()
    }
    head = {"description": _OF[name]} if name in _OF else {}
    rest = {"required": list(fields), "additionalProperties": False}
    return {**head, "type": "object", "properties": fields, **rest}


def _field(name: str, kind: type, key: str, value: Any, said: Schema) -> Schema:
    if {"type", "$ref", "anyOf"} & said.keys():
        return {word: part for word, part in said.items() if part is not None}
    hint = get_type_hints(kind).get(key)
    own = getattr(kind, key, None)
    if isinstance(own, property):
        hint = get_type_hints(own.fget).get("return")
    if hint is float and isinstance(value, int):
        hint = int  # it is printed as a whole number
    if hint is None and type(value) in _PLAIN:
        hint = type(value)
    found = {"enum": said["enum"]} if "enum" in said else _of(hint)
    if found is None:
        raise SystemExit(f"{name}: nothing says of which type '{key}' is")
    return found | said


def _of(hint: Any) -> Schema | None:
    """Return the schema of an annotation, None where it has none."""
    parts = get_args(hint)
    if hint in _PLAIN:
        return dict(_PLAIN[hint])
    if get_origin(hint) in (Union, types.UnionType):
        some = [part for part in parts if part is not types.NoneType]
        found = _of(some[0]) if len(some) == 1 else None
        if found is None or "type" not in found:
            return None if found is None else {"anyOf": [{"type": "null"}, found]}
        return found | {"type": [found["type"], "null"]}
    if get_origin(hint) in (list, tuple):
        inner = _of(parts[0])
        return None if inner is None else {"type": "array", "items": inner}
    if isinstance(hint, type) and issubclass(hint, Enum):
        return {"enum": [one.value for one in hint]}
    return {"$ref": f"#/$defs/{_DEFINED[hint]}"} if hint in _DEFINED else None


def text() -> str:
    """Return the file's text."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    PAGE.write_text(text(), encoding="utf-8")
    sys.stdout.write(f"{PAGE}\n")
