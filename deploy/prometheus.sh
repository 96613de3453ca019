#!/bin/sh
# Says in which folder prometheus and promtool lie; where there are none, Debian's are fetched and unpacked, so that no
# service is started and nobody need be root. Only `make test` needs them.
set -eu

fail() {
    echo "fengsui: $1" >&2
    exit 1
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

runs() {
    "$1/prometheus" --version >/dev/null 2>&1 && "$1/promtool" --version >/dev/null 2>&1
}

fetch() { # without root, and without the service that the package would start
    rm -rf "$cache" && mkdir -p "$cache" && cd "$cache" || return 1
    apt-get download -qq prometheus >/dev/null 2>&1 || {
        as_root apt-get update -qq && apt-get download -qq prometheus
    } >/dev/null 2>&1 || return 1
    dpkg -x prometheus_*.deb . && rm -f prometheus_*.deb
}

if [ -n "${FENGSUI_PROMETHEUS:-}" ]; then
    runs "$FENGSUI_PROMETHEUS" || fail "FENGSUI_PROMETHEUS=$FENGSUI_PROMETHEUS has no prometheus and promtool that run here"
    echo "$FENGSUI_PROMETHEUS"
    exit
fi
if path=$(command -v promtool) && runs "$(dirname "$path")"; then
    dirname "$path"
    exit
fi
cache="${FENGSUI_CACHE:-$HOME/.cache/fengsui}/prometheus"
how="the tests of rules and dashboards need prometheus and promtool: install them (on Debian: apt-get install prometheus), \
and name their folder as in FENGSUI_PROMETHEUS=/opt/prometheus make test"
if ! runs "$cache/usr/bin"; then
    command -v apt-get >/dev/null || fail "$how"
    echo "fetching prometheus" >&2
    (fetch) || fail "$how"
    runs "$cache/usr/bin" || fail "$how"
fi
echo "$cache/usr/bin"
