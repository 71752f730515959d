#!/usr/bin/env bash
# Makes, once, a folder with Debian sid and its CPython 3.14 and 3.15, for running the Python tests on them.
#
#   tools/make_sid.sh            -> ${HARDWORK_SID:-/var/cache/hardwork/sid}
#
# Needs root. Takes two minutes and 1.4 GB. Does nothing where the folder is already complete; `rm -r` the folder to
# have it made anew. Use it with tools/run_in_sid.sh.
set -eu

SID=${HARDWORK_SID:-/var/cache/hardwork/sid}
PYTHONS="3.14 3.15"
KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg

say() { printf 'make_sid: %s\n' "$*"; }
die() { printf 'make_sid: %s\n' "$*" >&2; exit 1; }

# A folder that is complete says so in a stamp; anything else is a half-made one.
if [ -e "$SID/.hardwork-complete" ]; then
    say "$SID is there already ($(tr '\n' ' ' <"$SID/.hardwork-complete"))"
    exit 0
fi
[ "$(id -u)" = 0 ] || die "must run as root (debootstrap and chroot)"

mkdir -p "$(dirname "$SID")"
# Two runs at once would write into the same folder: the second waits, then finds the work done.
exec 9>"$SID.lock"
flock 9
[ ! -e "$SID/.hardwork-complete" ] || exit 0

missing=
command -v debootstrap >/dev/null || missing="$missing debootstrap"
[ -e "$KEYRING" ] || missing="$missing debian-archive-keyring"
if [ -n "$missing" ]; then
    apt-get update -q
    # shellcheck disable=SC2086  # a list of words
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing
fi

# Addresses of Debian archives that this machine itself installs from, in both of apt's formats. Security and
# third-party archives have no sid. The awk program prints every word that looks like an address.
own_archives() {
    cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null |
        awk '/^[ \t]*#/ { next } /^(deb|URIs:)[ \t]/ { for (i = 2; i <= NF; i++) if ($i ~ /^https?:\/\//) print $i }' |
        sed 's:/*$::' | grep -E '/debian(/[^/]+)?$' | awk '!seen[$0]++'
}

# The archive as it stands, and, for a dated snapshot of it, the same host's present one.
candidates() {
    own_archives | while read -r uri; do
        printf '%s\n' "$uri"
        printf '%s\n' "$uri" | sed -E 's:^(https?\://[^/]+)/.*$:\1/debian:'
    done | awk '!seen[$0]++'
}

# The machine's proxy holds inside too, and apt-config is where apt keeps it; debootstrap (wget) wants the variable.
PROXY=$(apt-config shell p Acquire::http::Proxy | sed -n "s/^p='\(.*\)'$/\1/p")
[ -z "$PROXY" ] || export http_proxy="$PROXY"

PARTIAL=$SID.partial
bootstrap() {
    rm -rf --one-file-system "$PARTIAL"
    mkdir -p "$PARTIAL"
    say "debootstrap sid from the archive at .../${1##*/}"
    debootstrap --variant=minbase --keyring="$KEYRING" --include=ca-certificates sid "$PARTIAL" "$1" \
        >"$SID.log" 2>&1
}

archive=
for uri in $(candidates); do
    if bootstrap "$uri"; then
        archive=$uri
        break
    fi
    say "that archive did not do; the end of $SID.log:"
    tail -n 3 "$SID.log"
done
[ -n "$archive" ] || die "no archive among this machine's own apt sources has a usable Debian sid"

# sid's Release file is valid for a week only, and a mirror may lag behind or stand still.
{
    printf 'Acquire::Check-Valid-Until "false";\nAcquire::Check-Date "false";\nAcquire::Languages "none";\n'
    printf 'APT::Install-Recommends "false";\n'
    [ -z "$PROXY" ] || printf 'Acquire::http::Proxy "%s";\n' "$PROXY"
} >"$PARTIAL/etc/apt/apt.conf.d/90hardwork"
printf 'deb %s sid main\n' "$archive" >"$PARTIAL/etc/apt/sources.list"
# An archive that is reached by https may need this machine's certificates.
[ ! -e /etc/ssl/certs/ca-certificates.crt ] ||
    install -D -m 644 /etc/ssl/certs/ca-certificates.crt "$PARTIAL/etc/ssl/certs/ca-certificates.crt"
cp -L /etc/resolv.conf "$PARTIAL/etc/resolv.conf" 2>/dev/null || true

# The mounts live in a mount namespace of their own: they vanish with the command, whatever ends it.
inside() {
    # shellcheck disable=SC2016  # expanded by the inner shell
    unshare --mount --propagation private sh -c '
        root=$1; shift
        mount -t proc proc "$root/proc" && mount --rbind /dev "$root/dev" || exit 1
        exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 HOME=/root DEBIAN_FRONTEND=noninteractive \
            chroot "$root" "$@"' sh "$PARTIAL" "$@"
}

inside apt-get update -q >>"$SID.log" 2>&1 || die "apt-get update inside failed, see $SID.log"
packages="g++ libc6-dev ca-certificates"
found=
for version in $PYTHONS; do
    # Which of them sid has at this moment changes; a Python without its headers is of no use.
    if [ -n "$(inside apt-cache madison "python$version-dev")" ]; then
        found="$found $version"
        for package in "python$version-full" "python$version-dev" "libpython$version-testsuite"; do
            [ -z "$(inside apt-cache madison "$package")" ] || packages="$packages $package"
        done
    fi
done
[ -n "$found" ] || die "sid has none of CPython $PYTHONS at the moment"
say "installing CPython$found"
# shellcheck disable=SC2086  # a list of words
inside apt-get install -y -q $packages >>"$SID.log" 2>&1 || die "apt-get install inside failed, see $SID.log"
inside apt-get clean

for version in $found; do
    inside "/usr/bin/python$version" --version
done | tee "$PARTIAL/.hardwork-complete"
rm -rf --one-file-system "$SID"
mv "$PARTIAL" "$SID"
say "made $SID"
