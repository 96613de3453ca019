#!/bin/sh
# Makes .venv from requirements.lock and brings Kafka's jars; what fits is left as it is.
set -eu
cd "$(dirname "$0")/.."

fail() {
    echo "fengsui: $1" >&2
    exit 1
}

find_python() {
    for candidate in "${PYTHON:-python3}" python3 python3.14 python3.13 python3.12 python3.11 python; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    fail "no Python of at least 3.11 was found: install one, or name it as in PYTHON=/usr/bin/python3.12 make setup"
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

ensure_venv_module() {
    "$1" -c 'import venv, ensurepip' 2>/dev/null && return
    package=python$("$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])')-venv
    how="$1 cannot make environments: install its venv module (on Debian and Ubuntu: apt-get install $package)"
    command -v apt-get >/dev/null || fail "$how"
    echo "installing $package"
    { as_root apt-get update -qq && as_root apt-get install -y -qq --no-install-recommends "$package"; } >/dev/null ||
        fail "$how"
}

stamp=$(cat .venv/fengsui.stamp 2>/dev/null || true)
wanted="$(cat requirements.lock pyproject.toml | cksum) $PWD"
if [ "$stamp" != "$wanted" ] || ! .venv/bin/python -c '' 2>/dev/null; then
    case "$stamp" in
    "" | *" $PWD") usable='import pip, sys; sys.exit(sys.version_info < (3, 11))' ;;
    *) usable='raise SystemExit(1)' ;; # the scripts of a copied .venv lead to the place it was copied from
    esac
    if ! .venv/bin/python -c "$usable" 2>/dev/null; then
        python=$(find_python)
        ensure_venv_module "$python"
        "$python" -m venv --clear .venv || fail "$python could not make .venv"
    fi
    pip="env PIP_DISABLE_PIP_VERSION_CHECK=1 .venv/bin/python -m pip install --no-deps"
    $pip --retries 5 --require-hashes -r requirements.lock ||
        fail "not all packages of requirements.lock could be installed (see above): run it again, what has come is kept"
    # compat: a plain path, so that a package which a later pull brings is found without another setup
    $pip --quiet --no-build-isolation --no-index --config-settings editable_mode=compat --editable . || fail "the project could not be installed into .venv"
    echo "$wanted" >.venv/fengsui.stamp
fi
exec .venv/bin/python -m deploy.local.install
