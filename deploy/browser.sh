#!/bin/sh
# Says where a Chromium is that runs here; where there is none, Debian's is installed. Only `make test` needs it.
set -eu

fail() {
    echo "fengsui: $1" >&2
    exit 1
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

runs() { # a version alone proves nothing: the stub of a snap has one, and a snap cannot read our profile
    profile=$(mktemp -d)
    page=$(timeout 60 "$1" --headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking \
        --disable-component-update --disable-sync --user-data-dir="$profile" --dump-dom about:blank 2>/dev/null) || page=
    rm -rf "$profile"
    case "$page" in *"<body>"*) true ;; *) false ;; esac
}

find_browser() {
    for candidate in chromium chromium-browser google-chrome; do
        path=$(command -v "$candidate") || continue
        if runs "$path"; then
            echo "$path"
            return
        fi
        echo "fengsui: $path does not run here (Ubuntu's is only the stub of a snap)" >&2
    done
    return 1
}

if [ -n "${FENGSUI_CHROMIUM:-}" ]; then
    runs "$FENGSUI_CHROMIUM" || fail "FENGSUI_CHROMIUM=$FENGSUI_CHROMIUM is no Chromium that runs here"
    echo "$FENGSUI_CHROMIUM"
    exit
fi
find_browser && exit
how="the browser tests need a Chromium: install one (on Debian: apt-get install chromium; on Ubuntu Google's Chrome, or \
.venv/bin/playwright install --with-deps chromium), and name it as in FENGSUI_CHROMIUM=/opt/chrome make test"
command -v apt-get >/dev/null || fail "$how"
echo "installing chromium" >&2
{ as_root apt-get update -qq && as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium; } >/dev/null ||
    fail "$how"
find_browser || fail "$how"
