# The front door of the project: `just` lists what it can do.
# Everything runs in .venv, which `setup` makes from requirements.lock; needs Python 3.11 or newer.

set positional-arguments

python := env("PYTHON", "python3")
bin := justfile_directory() / ".venv/bin"

# list the recipes
default:
    @just --list --unsorted

# make .venv from the lock and install cimis into it; does nothing when up to date
setup:
    #!/usr/bin/env bash
    set -euo pipefail
    want=$({ pwd; cat requirements.lock pyproject.toml; } | cksum)
    if [ -x .venv/bin/cimis ] && [ "$(cat .venv/stamp 2>/dev/null)" = "$want" ]; then
        exit 0
    fi
    if ! "{{ python }}" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
        echo "error: cimis needs Python 3.11 or newer; set PYTHON to one" >&2
        exit 1
    fi
    echo "setting up .venv (once, and after the lock changes) ..." >&2
    [ -x .venv/bin/pip ] && grep -qxF "$(pwd)" .venv/place 2>/dev/null || rm -rf .venv
    [ -d .venv ] || "{{ python }}" -m venv .venv
    pip=(.venv/bin/python -m pip --quiet --quiet --no-input --disable-pip-version-check)
    "${pip[@]}" install --root-user-action=ignore --require-hashes -r requirements.lock
    "${pip[@]}" install --root-user-action=ignore --no-deps --no-build-isolation -e .
    .venv/bin/python -m compileall -q cimis agronomy pipeline queries
    pwd > .venv/place
    echo "$want" > .venv/stamp

# run the main job end to end on the embedded server
demo *args: setup
    @"{{ bin }}/cimis" demo "$@"

# run every test, or those named
test *args: setup
    @"{{ bin }}/python" -m pytest -n 3 --dist worksteal -m "not slow" "$@"

# the same with the long forms of those that have one
test-long *args: setup
    @"{{ bin }}/python" -m pytest -n 2 --dist worksteal "$@"

# the tests with the lowest versions that pyproject.toml allows, in .venv-lowest (needs network)
test-lowest *args: setup
    #!/usr/bin/env bash
    set -euo pipefail
    "{{ bin }}/python" -m pip install --quiet --root-user-action=ignore uv
    uv="{{ bin }}/uv"
    want=$(cksum pyproject.toml)
    if [ "$(cat .venv-lowest/stamp 2>/dev/null)" != "$want" ]; then
        "$uv" venv --quiet --clear --seed --python "{{ bin }}/python" .venv-lowest
        "{{ bin }}/python" scripts/lowest_versions.py > .venv-lowest/lowest.txt
        "$uv" pip install --quiet --python .venv-lowest/bin/python --group dev --constraints .venv-lowest/lowest.txt
        "$uv" pip install --quiet --python .venv-lowest/bin/python --constraints .venv-lowest/lowest.txt --no-build-isolation -e ".[soil-water,plot,xlsx,pandas,xarray,objects,dask,delta,iceberg]"
        echo "$want" > .venv-lowest/stamp
    fi
    .venv-lowest/bin/python -m pytest -m "not slow" "${@:-tests}"

# follow each tutorial as a stranger: a new environment, only what its own lines install (needs an index)
strangers-hour *args: setup
    @"{{ bin }}/python" -m pytest -m slow tests/project/test_strangers_hour.py "$@"

# write what comes of each tutorial's commands into it, where it shows something else
tutorials: setup
    "{{ bin }}/python" -m tests.project.tutorial docs/tutorials/*.md

# branch coverage of chunks and decode by their own tests; slower than those alone, so no part of check
coverage *args: setup
    "{{ bin }}/coverage" run -m pytest -m "not slow" tests/chunks tests/decode "$@"
    "{{ bin }}/coverage" report

# Dask, Daft and PySpark beside SQL, in .venv-engines (Daft holds pyarrow back, PySpark is large: not in the lock)
test-engines *args: setup-engines
    @.venv-engines/bin/python -m pytest tests/engines "$@"

# make .venv-engines; does nothing when up to date (needs network)
setup-engines:
    #!/usr/bin/env bash
    set -euo pipefail
    want=$({ pwd; cat pyproject.toml; } | cksum)
    if [ "$(cat .venv-engines/stamp 2>/dev/null)" = "$want" ]; then
        exit 0
    fi
    echo "setting up .venv-engines (once, and after pyproject.toml changes) ..." >&2
    rm -rf .venv-engines
    "{{ python }}" -m venv .venv-engines
    pip=(.venv-engines/bin/python -m pip --quiet --quiet --no-input --disable-pip-version-check)
    "${pip[@]}" install --root-user-action=ignore --upgrade "pip>=25.1"
    "${pip[@]}" install --root-user-action=ignore -e ".[dask]" --group engines
    echo "$want" > .venv-engines/stamp

# an operator's night: the whole network, a fifth of the answers faulty, thirty kills
soak *args: setup
    @"{{ bin }}/python" -m pytest -m slow tests/soak "$@"

# style, format, import rules, spelling
lint: setup
    "{{ bin }}/ruff" check
    "{{ bin }}/ruff" format --check
    "{{ bin }}/lint-imports" --no-cache
    "{{ bin }}/codespell"

# strict types
types: setup
    "{{ bin }}/mypy"

# what must hold before a change lands
check: lint types test

# build the distributions into dist, twice, install and demo both, check all that a release has (needs network)
release-check *args: setup
    @"{{ bin }}/python" scripts/release_check.py "$@"

# put the code into the house's form
format: setup
    "{{ bin }}/ruff" check --fix
    "{{ bin }}/ruff" format

# rewrite the pages that are made from code (commands, options, manual, report's schema), then make the site of docs/ in build/site
docs: setup
    "{{ bin }}/python" docs/generate_cli.py
    "{{ bin }}/python" docs/generate_options.py
    "{{ bin }}/python" docs/generate_man.py
    "{{ bin }}/python" docs/generate_report_schema.py
    "{{ bin }}/sphinx-build" -W --keep-going -n -q -b html docs build/site

# draw the README's pictures anew, by its commands
pictures: setup
    "{{ bin }}/python" docs/generate_pictures.py > /dev/null

# run every benchmark beside its rivals
bench *args: bench-decode bench-fetch bench-size bench-write bench-bulk bench-query

# decoding against json.loads and orjson
bench-decode *args: setup
    @"{{ bin }}/python" -m benchmarks.decode "$@"

# fetching from a slow server, by both paths
bench-fetch *args: setup
    @"{{ bin }}/python" -m benchmarks.fetch "$@"

# bytes on disk against Parquet and pcodec
bench-size *args: setup
    @"{{ bin }}/python" -m benchmarks.size "$@"

# writing a year, read back and compared, against Parquet
bench-write *args: setup
    @"{{ bin }}/python" -m benchmarks.write "$@"

# many chunks decoded together against one by one
bench-bulk *args: setup
    @"{{ bin }}/python" -m benchmarks.bulk "$@"

# questions against DuckDB over Parquet
bench-query *args: setup
    @"{{ bin }}/python" -m benchmarks.query "$@"

# a mean over many chunks by Dask, Daft and PySpark with one worker and two, beside SQL
bench-engines *args: setup-engines
    @.venv-engines/bin/python -m benchmarks.engines "$@"

# marks of sensor checks, errors of neighbours, false alarms (needs the real archive for the most)
bench-agronomy *args: setup
    @"{{ bin }}/python" -m benchmarks.agronomy "$@"

# write requirements.lock anew from pyproject.toml (needs network)
lock *args: setup
    "{{ bin }}/python" -m pip install --quiet --root-user-action=ignore uv
    "{{ bin }}/uv" pip compile pyproject.toml --universal --python-version 3.11 --fork-strategy fewest --group dev --group bench --generate-hashes --no-header --no-emit-index-url --no-annotate --quiet --output-file requirements.lock "$@"

# remove .venv, caches and what the demo left
clean:
    rm -rf .venv .venv-engines .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage build dist demo-data
    find . -name __pycache__ -type d -prune -exec rm -rf {} +
