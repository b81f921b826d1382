#!/bin/sh
# Installs this release where it was unpacked: a virtual environment in venv/, from the wheels
# beside it, each held against its hash. It asks no network and starts nothing.
#
#   sh install.sh                              with the first Python that fits
#   PYTHON=/usr/bin/python3.12 sh install.sh   with this one

set -eu
cd "$(dirname "$0")"

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
    -r requirements.txt
# The service may not write here, so what Python compiles is written now.
venv/bin/python -m compileall -q -j 0 accounts bookings config instruments
echo "Instrument Commons $(cat VERSION) is installed in $PWD. Next: deploy/README.md"
