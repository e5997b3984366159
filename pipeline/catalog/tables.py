"""The catalog's tables, in SQL, and their version."""

__all__ = ["LATER_TABLES", "REVISION", "SCHEMA", "VERSION"]

VERSION = 1
"""Raised when an older cimis could not use the catalog any more."""
REVISION = 2
"""Raised when an older catalog, or chunks of its time, are to be brought up to date at opening."""
SCHEMA = """
create table meta (key text primary key, value) without rowid;
create table stations (number integer primary key, name text not null, facts text not null);
create table chunks (
    path text primary key, scope text not null, station integer, target text,
    year integer not null, format text not null, rows integer not null,
    first_s integer not null, last_s integer not null, bytes integer not null,
    checksum text not null, items text not null, provisional_from_s integer,
    fetched_at text not null, source text not null, statistics blob not null
) without rowid;
create table asked (path text, items text, first_day text, last_day text,
    primary key (path, items, first_day)) without rowid;
create index chunks_of_station on chunks (scope, station, year);
create index chunks_of_items on chunks (scope, items);
create table runs (
    id integer primary key, command text not null, started_at text not null,
    finished_at text not null, exit_code integer not null, report text not null
);
"""
LATER_TABLES = """
create table if not exists changes (path text not null, at text not null, added integer not null,
    revised integer not null, filled integer not null);
create table if not exists targets (key text primary key, sent text not null) without rowid;
create table if not exists pulled (path text primary key, checksum text not null) without rowid;
"""
"""Made in a catalog that was begun without them, by whoever writes to it."""
