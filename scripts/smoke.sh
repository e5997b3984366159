#!/usr/bin/env bash
# Smoke test: fetch, verify and query three stations' year, as an operator would type it.
#
#     scripts/smoke.sh [DIR [REPORT]]
#
# DIR is the data directory to make, by default ./test_data; REPORT is where the last fetch's report
# goes, by default ./results.json.
#
# Asks the service with CIMIS_APP_KEY, or an embedded server where there is no key.
set -euo pipefail
. "$(dirname "$0")/service.sh"

data=${1:-./test_data}
results=${2:-./results.json}
[ -e "$data/stations" ] && fail "$data has chunks already; name another directory, or remove it"
[ -n "${CIMIS_APP_KEY:-}" ] || embedded

week=(-station 2 -start 2024-06-01 -end 2024-06-07)
cimis init -data-dir "$data"
cimis fetch-streaming -stations 2,5,10 -year 2024 -concurrency 8 -gzip -perf -data-dir "$data"
cimis verify -data-dir "$data"
cimis query "${week[@]}" -perf -data-dir "$data" >"$scratch/first.csv" 2>"$scratch/first"
cat "$scratch/first" "$scratch/first.csv"
cimis query "${week[@]}" -cache 50MB -perf -data-dir "$data" >"$scratch/second.csv" 2>"$scratch/second"
cat "$scratch/second" "$scratch/second.csv"
cimis fetch-streaming -stations 2 -year 2024 -json -data-dir "$data" >"$results"

[ "$(wc -l <"$scratch/first.csv")" = 8 ] || fail "a week has 7 rows and a heading"
cmp "$scratch/first.csv" "$scratch/second.csv" || fail "the cache changed the answer"
grep -q '"exit_code": 0' "$results" || fail "the report does not say success"
first=$(awk '$1 == "total" { print $2 }' "$scratch/first")
second=$(awk '$1 == "total" { print $2 }' "$scratch/second")
awk -v a="$first" -v b="$second" 'BEGIN { exit !(b < a) }' ||
    fail "the second query took $second ms, the first $first ms"
echo "passed: second query $second ms, first $first ms"
