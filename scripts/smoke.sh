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

week=(-station 2 -start 2024-06-01 -end 2024-06-07 -items air_tmp_avg,asce_eto)
same="select station, date, air_tmp_avg, air_tmp_avg_qc, asce_eto, asce_eto_qc from daily
    where station = 2 and date between '2024-06-01' and '2024-06-07' order by date"
cimis init -data-dir "$data"
cimis fetch -stations 2,5,10 -year 2024 -concurrency 8 -gzip -perf -data-dir "$data"
cimis verify -data-dir "$data"
cimis query "${week[@]}" -perf -data-dir "$data" >"$scratch/chunk.csv" 2>"$scratch/chunk"
cat "$scratch/chunk" "$scratch/chunk.csv"
cimis sql "$same" -perf -data-dir "$data" >"$scratch/cache.csv" 2>"$scratch/cache"
cat "$scratch/cache" "$scratch/cache.csv"
cimis fetch -stations 2 -year 2024 -json -data-dir "$data" >"$results"

[ "$(wc -l <"$scratch/chunk.csv")" = 8 ] || fail "a week has 7 rows and a heading"
cmp "$scratch/chunk.csv" "$scratch/cache.csv" || fail "the read cache gives another answer than the chunk"
grep -q '"exit_code": 0' "$results" || fail "the report does not say success"
echo "passed: seven days, alike from the chunk and from the read cache"
