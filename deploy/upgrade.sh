#!/bin/sh
# Upgrades one machine, as docs/upgrading.md says, and says each step. As root, with the archive and the
# SHA256SUMS beside it:
#
#   sh upgrade.sh instrument-commons-NEW.tar.gz
#   sh upgrade.sh --deploy-done instrument-commons-NEW.tar.gz    the differences in deploy/ are taken over
#   sh upgrade.sh --no-backup instrument-commons-NEW.tar.gz      there is one already
#   sh upgrade.sh --no-migrate instrument-commons-NEW.tar.gz     another machine has migrated
#
# What breaks off can be started again: what is done is not done again. Until the link is set, nothing that
# runs is touched.

set -eu
umask 022 # the service reads what is unpacked, whatever umask root has

opt=${OPT:-/opt}
link=$opt/instrument-commons
before=$opt/instrument-commons.before # the folder that was in place, for the way back
ready=${READY:-http://127.0.0.1:8000/readyz/web}

refuse() {
    trap - EXIT
    echo "$*" >&2
    exit 1
}

deploy_done='' backup=yes migrate=yes
for word in "$@"; do
    case $word in
        --deploy-done) deploy_done=yes ;;
        --no-backup) backup='' ;;
        --no-migrate) migrate='' ;;
        -*) refuse "Unknown option: $word" ;;
        *) archive=$word ;;
    esac
done
[ -n "${archive:-}" ] || refuse "Which archive? sh upgrade.sh instrument-commons-NEW.tar.gz"
[ -f "$archive" ] || refuse "There is no $archive."
name=$(basename "$archive" .tar.gz)
case $name in instrument-commons-[0-9]*) ;; *) refuse "$archive is no archive of a release." ;; esac
[ -L "$link" ] || refuse "$link is no link to a release: nothing is installed that could be upgraded."

exec 9> "$opt/.instrument-commons-upgrade"
flock -n 9 || refuse "Another upgrade runs on this machine."

doing=
trap '[ $? -eq 0 ] || echo "Broken off while: $doing. Mend the cause and run it again: what is done is kept." >&2' EXIT
step() {
    doing=$*
    echo "== $*"
}

# --- The versions

new=$opt/$name
old=$opt/$(basename "$(readlink "$link")")
if [ "$old" = "$new" ] && [ -L "$before" ]; then
    old=$opt/$(basename "$(readlink "$before")") # it broke off after the link was set
fi
from=$(sed 's/+.*//' "$old/VERSION") # without the commit
to=${name#instrument-commons-}
to=${to%%+*}

step "Checking $name.tar.gz against SHA256SUMS"
# What is checked is what is unpacked: a copy that nobody else can change meanwhile.
copies=$opt/.instrument-commons-archive
rm -rf "$copies"
mkdir -m 0700 "$copies"
cp "$archive" "$copies/$name.tar.gz"
cp "$(dirname "$archive")/SHA256SUMS" "$copies/SHA256SUMS"
sum=$(grep -F "  $name.tar.gz" "$copies/SHA256SUMS") ||
    refuse "SHA256SUMS beside the archive does not name $name.tar.gz."
(cd "$copies" && echo "$sum" | sha256sum -c -)

step "Checking the way from $from to $to"
# The release's own list, newest first; it is taken one after the other.
releases=$(tar -xzOf "$copies/$name.tar.gz" "$name/CHANGELOG.md" | sed -n 's/^## \([0-9][0-9.]*\).*/\1/p')
is_listed() { echo "$releases" | grep -qxF "$1"; }
# Those before the new one; all, where it is none of them.
between=$(echo "$releases" | awk -v to="$to" 'seen; $0 == to { seen = 1 }')
is_listed "$to" || between=$releases
if [ "$from" != "$to" ]; then
    is_listed "$from" ||
        refuse "$to does not know $from, which is newer or none of the releases. The way back: docs/upgrading.md"
    echo "$between" | grep -qxF "$from" || refuse "$from is newer than $to. The way back: docs/upgrading.md"
    skipped=$(echo "$between" | awk -v from="$from" '$0 == from { exit } 1' | sort -V | xargs)
    [ -z "$skipped" ] || refuse "Releases are taken one after the other: first $skipped."
fi

# --- Beside what runs

step "Unpacking into $new"
# A script of before that has handed over leaves no mark.
if [ -z "${HANDED_OVER:-}" ] && [ "$old" != "$new" ] && [ -e "$new" ] && [ ! -e "$new/.unpacked" ] &&
    [ ! -e "$new/.installed" ]; then
    refuse "$new is there, and this script did not unpack it: look what it is, and remove it."
fi
if [ ! -d "$new" ]; then
    rm -rf "$opt/.unpacking"
    mkdir -m 0755 "$opt/.unpacking"
    tar -xzf "$copies/$name.tar.gz" --no-same-owner -C "$opt/.unpacking"
    touch "$opt/.unpacking/$name/.unpacked"
    mv "$opt/.unpacking/$name" "$new"
    rmdir "$opt/.unpacking"
fi
rm -rf "$copies"
if [ -f "$new/deploy/upgrade.sh" ] && ! cmp -s "$0" "$new/deploy/upgrade.sh" && [ -z "${HANDED_OVER:-}" ]; then
    echo "The new release upgrades by its own script."
    exec 9>&-
    HANDED_OVER=1 exec sh "$new/deploy/upgrade.sh" "$@"
fi

step "Installing"
if [ ! -e "$new/.installed" ]; then # its environment may be in use later
    sh "$new/install.sh"
    touch "$new/.installed"
fi

step "Comparing deploy/ of both releases"
if [ "$old" != "$new" ] && [ -z "$deploy_done" ] &&
    ! diff -r -x '*.sh' -x README.md "$old/deploy" "$new/deploy"; then
    refuse "Take over what is new in units, proxy and alerts (do not restart), read \"Before you upgrade\" in
$new/CHANGELOG.md, and run it again with --deploy-done."
fi

# --- In its place

if [ "$(readlink "$link")" != "$name" ]; then
    if [ -n "$backup" ]; then
        step "Backing up (systemctl start instrument-commons-backup)"
        systemctl start instrument-commons-backup
    fi
    step "Setting the link to $name"
    ln -sfn "$(basename "$old")" "$before"
    ln -sfn "$name" "$link"
fi
systemctl daemon-reload
if [ -n "$migrate" ]; then
    step "Migrating (journalctl -fu instrument-commons-migrate says on what it waits)"
    systemctl start instrument-commons-migrate
fi

# First what works in the background: the web of the old release may run beside the new workers. What is
# enabled counts too: after breaking off it may stand still.
units() {
    { systemctl list-units --plain --no-legend --state=active "$@"
        systemctl list-unit-files --plain --no-legend --state=enabled "$@"; } |
        awk '$1 !~ /@\.service$/ { print $1 }' | sort -ru
}
background=$(units 'instrument-commons-worker*.service' 'instrument-commons-calls*.service' \
    'instrument-commons-beat*.service' | xargs)
front=$(units 'instrument-commons-web*.service' 'instrument-commons-uploads*.service')
step "Restarting $background"
# All end before one starts: workers of two releases take work from each other.
# shellcheck disable=SC2086
if [ -n "$background" ]; then
    systemctl stop $background
    systemctl start $background
fi

answers='import sys, urllib.request as web
web.build_opener(web.ProxyHandler({})).open(sys.argv[1], timeout=5)'
for unit in $front; do
    if ! systemctl cat "$unit" > /dev/null 2>&1; then # another unit has taken its place
        step "Stopping $unit"
        systemctl stop "$unit"
        continue
    fi
    step "Restarting $unit"
    systemctl restart "$unit"
    tries=0
    until "$link/venv/bin/python" -c "$answers" "$ready" 2> /dev/null; do
        tries=$((tries + 1))
        if [ "$tries" -ge 60 ]; then
            echo "$ready does not answer 200: journalctl -u $unit" >&2
            exit 1
        fi
        sleep 1
    done
done

step "Asking the doctor (manage.py doctor)"
systemd-run --quiet --pipe --wait --uid=instrument-commons --working-directory="$link" \
    --property=EnvironmentFile=/etc/instrument-commons/instrument-commons.env \
    --property="UnsetEnvironment=METRICS_TOKEN METRICS_TOKEN_FILE" \
    "$link/venv/bin/python" manage.py doctor
echo "$to is in place. $old can be removed when you are content."
