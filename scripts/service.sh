# Sourced by the other scripts: finds cimis and, where no key is given, starts the embedded server.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
if [ -z "${CIMIS:-}" ]; then
    CIMIS=cimis
    [ -x "$here/.venv/bin/cimis" ] && CIMIS=$here/.venv/bin/cimis
fi
if ! command -v ${CIMIS%% *} >/dev/null; then
    echo "error: cimis is not found; install it, or name it: CIMIS=/path/to/cimis $0" >&2
    exit 2
fi

scratch=$(mktemp -d)
server=
finish() {
    if [ -n "$server" ]; then
        kill "$server" 2>/dev/null || true
        wait "$server" 2>/dev/null || true
    fi
    rm -rf "$scratch"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# cimis ...: shown, then run; 'command', as a program of that name is meant, not this function
cimis() {
    echo "+ cimis $*" >&2
    command $CIMIS "$@"
}

# embedded OPTIONS: start the embedded server and point to it
embedded() {
    command $CIMIS emulator -port 0 -json "$@" >"$scratch/server" 2>/dev/null &
    server=$!
    for _ in $(seq 200); do
        [ -s "$scratch/server" ] && break
        kill -0 "$server" 2>/dev/null || break
        sleep 0.1
    done
    if [ ! -s "$scratch/server" ]; then
        echo "error: the embedded server does not start" >&2
        exit 1
    fi
    CIMIS_BASE_URL=$(fact base_url <"$scratch/server")
    CIMIS_APP_KEY=$(fact app_key <"$scratch/server")
    export CIMIS_BASE_URL CIMIS_APP_KEY
    echo "no CIMIS_APP_KEY: asking an embedded server with made-up weather" >&2
}

# fact NAME: the first value of that name in the JSON on standard input
fact() {
    grep -o '"'"$1"'": *"\{0,1\}[^",}]*' | head -1 | sed 's/^"[^"]*": *"\{0,1\}//'
}

fail() {
    echo "FAILED: $*" >&2
    exit 1
}
