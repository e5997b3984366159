#!/usr/bin/env bash
# Old against new: the plain path (fetch --plain) and the streaming path (fetch) for the same year.
#
#     scripts/bench_paths.sh [DIR]
#
# DIR is where the data directories are made, by default ./test_paths. Asks the service with
# CIMIS_APP_KEY, or an embedded server that answers after 200 ms where there is no key.
set -euo pipefail
. "$(dirname "$0")/service.sh"

data=${1:-./test_paths}
[ -e "$data" ] && fail "$data is there already; name another directory, or remove it"
mkdir -p "$data"
[ -n "${CIMIS_APP_KEY:-}" ] || embedded -latency 200ms

stations=2,5-7,10,12,13,15,19,21,30,35,39,41,43,44,47,52,54,56
for path in plain streaming; do
    way=
    [ "$path" = plain ] && way=-plain
    begin=$(date +%s%N)
    cimis fetch $way -stations "$stations" -year 2023 -concurrency 8 -allocs -json \
        -data-dir "$data/$path" >"$data/$path.json"
    end=$(date +%s%N)
    grep -q '"exit_code": 0' "$data/$path.json" || fail "$path did not succeed; see $data/$path.json"
    echo $(((end - begin) / 1000000)) >"$scratch/$path"
done
diff -r "$data/plain/stations" "$data/streaming/stations" || fail "the paths store other bytes"

echo
printf '%-18s %10s %10s %14s\n' path 'wall, ms' requests 'bytes/record'
for path in plain streaming; do
    requests=$(fact requests <"$data/$path.json" | head -1)
    bytes=$(fact bytes_per_record <"$data/$path.json" | head -1)
    printf '%-18s %10s %10s %14s\n' "$path" "$(cat "$scratch/$path")" "$requests" "$bytes"
done
ratio=$(awk -v n="$(cat "$scratch/streaming")" -v o="$(cat "$scratch/plain")" \
    'BEGIN { printf "%.2f", n / o }')
echo "passed: the streaming path takes $ratio of the plain path's time, and stores the same bytes"
