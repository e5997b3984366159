#!/bin/sh
# cimis-nightly: in a container, `cimis sync` at once and then at the times of CIMIS_SYNC_TIMES (UTC),
# until SIGTERM, which ends a running sync in order. What follows its name is for `cimis sync`.
# `cimis-nightly healthy` tells whether the last sync was in order; one that still runs counts as such.
set -u
last=${TMPDIR:-/tmp}/cimis-nightly.exit

if [ "${1-}" = healthy ]; then
    # 4: some stations failed, what came is stored, and an alert tells of it
    case $(cat "$last" 2>/dev/null) in '' | 0 | 4) exit 0 ;; *) exit 1 ;; esac
fi

child=
stopped=
stop() {
    stopped=yes
    if [ -n "$child" ]; then kill -TERM "$child" 2>/dev/null; fi
}
trap stop TERM INT

# runs a command that a signal can end at once; its exit code is in $code
run() {
    "$@" &
    child=$!
    wait "$child"
    code=$?
    # a trapped signal ends `wait` before the command has ended
    while kill -0 "$child" 2>/dev/null; do
        wait "$child"
        code=$?
    done
    child=
}

next() {
    now=$(date -u +%s)
    soonest=
    for at in ${CIMIS_SYNC_TIMES:-13:05 18:35 21:05}; do
        then=$(date -u -d "$at" +%s) || exit 2
        [ "$then" -gt "$now" ] || then=$(date -u -d "tomorrow $at" +%s)
        if [ -z "$soonest" ] || [ "$then" -lt "$soonest" ]; then soonest=$then; fi
    done
}

next
while [ -z "$stopped" ]; do
    run cimis sync --log-format json --timeout 120s "$@"
    echo "$code" >"$last"
    next
    # a minute at a time: the clock may jump, and the machine may have slept
    while [ -z "$stopped" ] && [ "$(date -u +%s)" -lt "$soonest" ]; do
        left=$((soonest - $(date -u +%s)))
        run sleep "$((left < 60 ? left : 60))"
    done
done
