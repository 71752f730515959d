#!/usr/bin/env bash
# Runs a command in the sid folder that tools/make_sid.sh made, in a copy of this checkout.
#
#   tools/run_in_sid.sh tools/test_python.sh                       (PYTHON=python3.14 in the environment)
#
# Of the environment only PYTHON, JOBS, CI, HARDWORK_PROPERTIES and pip's variables are passed on. What the command builds
# is kept there, so that the next run is quick; nothing is written into the checkout, but for the results of the fault
# tests, which go into the folder that HARDWORK_FAULT_RESULTS names.
set -eu
# shellcheck source=tools/common.sh
. "$(dirname "$0")/common.sh"

SID=${HARDWORK_SID:-/var/cache/hardwork/sid}
[ $# -gt 0 ] || die "usage: tools/run_in_sid.sh COMMAND..."
[ "$(id -u)" = 0 ] || die "needs root (chroot)"
[ -e "$SID/.hardwork-complete" ] || die "no complete $SID; make it with tools/make_sid.sh"

# Each checkout has a place of its own there: two of them may be tested at once.
place=/srv/hardwork-$(printf '%s' "$ROOT" | cksum | cut -d' ' -f1)
mkdir -p "$SID$place"
# One command at a time in each place. The command does not inherit the lock: what it may leave behind holds up nobody.
exec 9>"$SID$place/lock"
flock 9

# The copy is of what git would track. Times are kept, so unchanged sources are not compiled again. (git refuses to
# look into a checkout that belongs to somebody else, unless told.)
rm -rf "$SID$place/tree"
mkdir "$SID$place/tree"
git -C "$ROOT" -c safe.directory="$ROOT" ls-files -z --cached --others --exclude-standard |
    while IFS= read -r -d '' file; do [ ! -e "$ROOT/$file" ] || printf '%s\0' "$file"; done |
    tar -C "$ROOT" --null -T - -cf - | tar -C "$SID$place/tree" -xf -

# pip has to find its index there just as it does here: its files, and the certificates that it or its variables name.
copy_in() {
    if [ -d "$1" ]; then
        rm -rf "${SID:?}$1" && mkdir -p "$SID$1" && cp -RL "$1/." "$SID$1/"
    elif [ -e "$1" ]; then
        install -D -m 644 "$1" "$SID$1"
    fi
}
for file in /etc/resolv.conf /etc/hosts /etc/pip.conf /root/.pip/pip.conf /root/.config/pip/pip.conf \
    /etc/ssl/certs/ca-certificates.crt "${PIP_CONFIG_FILE:-}" "${PIP_CERT:-}" "${SSL_CERT_FILE:-}" \
    "${REQUESTS_CA_BUNDLE:-}"; do
    [ -z "$file" ] || copy_in "$file"
done
cert=$(sed -n 's/^[ \t]*cert[ \t]*=[ \t]*//p' /etc/pip.conf "$HOME/.config/pip/pip.conf" 2>/dev/null | head -n 1)
[ -z "$cert" ] || copy_in "$cert"
# A folder of wheels may be configured beside or instead of an index.
case ${PIP_FIND_LINKS:-} in /*) copy_in "$PIP_FIND_LINKS" ;; esac

variables=()
while IFS= read -r name; do
    variables+=("$name=${!name}")
done < <(compgen -e | grep -E '^(PIP_.*|SSL_CERT_FILE|REQUESTS_CA_BUNDLE|(https?|no|HTTPS?|NO)_(proxy|PROXY)|PYTHON|JOBS|CI|HARDWORK_PROPERTIES)$')

results=
if [ -n "${HARDWORK_FAULT_RESULTS:-}" ]; then
    mkdir -p "$HARDWORK_FAULT_RESULTS" "$SID$place/results"
    results=$(cd "$HARDWORK_FAULT_RESULTS" && pwd)
    variables+=("HARDWORK_FAULT_RESULTS=$place/results")
fi

# The mounts live in a mount namespace of their own: they vanish with the command, whatever ends it. /dev/shm is a
# fresh one, since the tests look that nothing is left there.
# shellcheck disable=SC2016  # expanded by the inner shell
unshare --mount --propagation private bash -c '
    set -e
    root=$1 results=$2 place=$3; shift 3
    mount -t proc proc "$root/proc"
    mount --rbind /dev "$root/dev"
    mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
    [ -z "$results" ] || mount --bind "$results" "$root$place/results"
    [ ! -d /sys/fs/cgroup ] || { mount --rbind /sys "$root/sys" && mount --make-rslave "$root/sys"; }
    exec "$@"' bash "$SID" "$results" "$place" \
    env -i PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin HOME=/root LANG=C.UTF-8 "${variables[@]}" \
    VENV="$place/venv-${PYTHON:-python3}" HARDWORK_BUILD="$place/build" \
    chroot "$SID" sh -c 'cd "$1" && shift && exec "$@"' sh "$place/tree" "$@" 9>&-
