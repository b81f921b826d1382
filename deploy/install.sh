#!/bin/sh
# Installs this release where it was unpacked: a virtual environment in venv/, from the wheels
# beside it, each held against its hash. It asks no network and starts nothing.
#
#   sh install.sh                              with the first Python that fits
#   PYTHON=/usr/bin/python3.12 sh install.sh   with this one
#   sh install.sh --ask                        and then asks for the settings and writes them to
#                                              /etc/instrument-commons (SETTINGS=... : elsewhere)
#   sh install.sh --ask FILE [--overwrite]     with answers as NAME=value lines; - is standard input

set -eu
umask 022 # the service reads what is installed, whatever umask root has
is_asked=
if [ "${1-}" = --ask ]; then
    is_asked=1
    shift
    # Files are named from where it is called.
    for word in "$@"; do
        shift
        case $word in
            /* | -*) ;;
            *) word=$PWD/$word ;;
        esac
        set -- "$@" "$word"
    done
    case ${SETTINGS:-/} in /*) ;; *) SETTINGS=$PWD/$SETTINGS ;; esac
elif [ $# -gt 0 ]; then
    echo "It knows --ask alone, not $1." >&2
    exit 2
fi
cd "$(dirname "$0")"
ask() {
    exec venv/bin/python -m config.operations.first_settings "${SETTINGS:-/etc/instrument-commons}" "$@"
}
# A release that serves already is not installed anew for that.
if [ "$is_asked" ] && [ -x venv/bin/granian ]; then ask "$@"; fi

fits() {
    "$1" -c 'import platform, sys; sys.exit(not (3, 12) <= sys.version_info[:2] <= (3, 13)
        or (sys.platform, platform.machine()) != ("linux", "x86_64"))' 2>/dev/null
}

for python in ${PYTHON:-python3.13 python3.12 python3}; do
    if fits "$python"; then break; fi
    python=
done
if [ -z "$python" ]; then
    echo "The wheels here are for Python 3.12 and 3.13 on Linux x86_64, and none was found." >&2
    echo "Debian 13, Ubuntu 24.04: apt install python3 python3-venv; or name one: PYTHON=..." >&2
    exit 1
fi

case $("$python" -c 'import os, sys; print(os.path.realpath(sys.executable))') in
    "${HOME:-/home}"/* | /home/*) echo "Units see no home folders, and this Python is in one: PYTHON=/usr/bin/python3 sh install.sh" >&2 ;;
esac
rm -rf venv
"$python" -m venv venv || { rm -rf venv; echo "Is python3-venv installed?" >&2; exit 1; }
# Neither the settings of pip on this machine nor its index have a say.
PIP_CONFIG_FILE=/dev/null venv/bin/python -m pip --isolated install --quiet \
    --disable-pip-version-check --no-index --find-links wheels --require-hashes --no-deps \
    -r requirements.txt </dev/null
# The service may not write here, so what Python compiles is written now.
venv/bin/python -m compileall -q -j 0 accounts bookings config instruments
echo "Instrument Commons $(cat VERSION) is installed in $PWD. Next: deploy/README.md"
if [ "$is_asked" ]; then ask "$@"; fi
