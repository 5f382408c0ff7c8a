#!/bin/sh
# Makes .venv exactly as requirements.lock says, and only when that has changed. Needs Python >= 3.11 and nothing else.
set -eu
cd "$(dirname "$0")/.."

# Settings of the machine's own pip or uv must not change what is installed from the lock.
stamp=.venv/.installed
want=$(cat requirements.lock pyproject.toml | cksum)
if [ -x .venv/bin/getsale ] && [ "$(cat "$stamp" 2>/dev/null)" = "$want" ]; then
    exit 0
fi

python=
for candidate in python3 python3.14 python3.13 python3.12 python3.11 python; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
        python=$candidate
        break
    fi
done
if [ -z "$python" ]; then
    echo "GetSale needs Python 3.11 or newer; install it and run this again." >&2
    exit 1
fi

# uv in an environment of its own: the project's is cleared of everything that the lock does not name.
tools="${XDG_CACHE_HOME:-$HOME/.cache}/getsale/uv"
uv=
for candidate in uv "$HOME/.local/bin/uv" "$tools/bin/uv"; do
    if "$candidate" --version >/dev/null 2>&1; then
        uv=$candidate
        break
    fi
done
if [ -z "$uv" ]; then
    echo "Installing uv, once." >&2
    if "$python" -m venv "$tools" >/dev/null 2>&1 && "$tools/bin/pip" install --quiet uv >&2; then
        uv="$tools/bin/uv"
    elif "$python" -m pip install --quiet --user uv >&2; then
        uv="$("$python" -m site --user-base)/bin/uv"
    else
        echo "uv could not be installed: 'python3 -m pip install --user uv' must work (on Debian: apt-get install python3-venv)." >&2
        exit 1
    fi
fi

[ -x .venv/bin/python ] || "$uv" venv --quiet --python "$python" .venv
"$uv" pip sync --quiet --python .venv/bin/python --require-hashes requirements.lock
"$uv" pip install --quiet --python .venv/bin/python --no-deps --editable .
echo "$want" > "$stamp"
