#!/usr/bin/env bash
# Determinism test: the same year fetched twice, in one piece and in halves, gives the same bytes.
#
#     scripts/determinism.sh [DIR]
#
# DIR is where the data directories a, b and halves are made, by default ./test_determinism. Asks the
# service with CIMIS_APP_KEY, or an embedded server where there is no key.
set -euo pipefail
. "$(dirname "$0")/service.sh"

data=${1:-./test_determinism}
[ -e "$data" ] && fail "$data is there already; name another directory, or remove it"
mkdir -p "$data"
[ -n "${CIMIS_APP_KEY:-}" ] || embedded

fetch() { cimis fetch -stations 2,5,10 -quiet "$@"; }

fetch -year 2023 -concurrency 8 -data-dir "$data/a"
fetch -year 2023 -concurrency 1 -no-gzip -data-dir "$data/b"
fetch -start 2023-07-01 -end 2023-12-31 -data-dir "$data/halves"
fetch -start 2023-01-01 -end 2023-06-30 -data-dir "$data/halves"
cimis fetch -plain -stations 2,5,10 -year 2023 -quiet -data-dir "$data/plain"

sums() { (cd "$data/$1" && find stations -name '*.zst' -exec cksum {} + | sort -k 3); }

sums a >"$scratch/a"
[ -s "$scratch/a" ] || fail "nothing was stored"
for other in b halves plain; do
    sums "$other" >"$scratch/$other"
    diff "$scratch/a" "$scratch/$other" || fail "the chunks in $other differ from those in a"
    (cd "$data" && find a/stations -name '*.zst') | while read -r chunk; do
        cmp "$data/$chunk" "$data/$other/${chunk#a/}" || exit 1
    done || fail "the chunks in $other differ from those in a"
done
echo "passed: $(wc -l <"$scratch/a") chunks, four times the same bytes"
