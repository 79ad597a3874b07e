#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Installs the package of `make deb` into a clean Debian of its own and uses it there: a guest boots, the manual shows,
# and removing it leaves nothing. usage: deb-check.sh [PACKAGE]; as root, with mmdebstrap (make setup SET=package).
# IMAGES=FOLDER takes guest images from there (a data folder's images/) instead of building one inside.
source "$(dirname "$0")/common.sh"

package=${1:-$(find .build/deb -maxdepth 1 -name '*.deb' 2>/dev/null | head -n 1)}
[[ -f $package ]] || fail "there is no package ${package:-in .build/deb}: run 'make deb' first"
((EUID == 0)) || fail "a clean Debian is made and entered by root: run this script as root"
command -v mmdebstrap >/dev/null || fail "mmdebstrap is missing: make setup SET=package"
[[ -z ${IMAGES:-} || -d $IMAGES ]] || fail "IMAGES=$IMAGES is no folder"

# The mounts are of this process and its children alone, and go with them.
if [[ ${APUS_DEB_CHECK:-} != inside ]]; then
    APUS_DEB_CHECK=inside exec unshare --mount --propagation private "$0" "$package"
fi
steps=4
folder=$(mktemp -d)
trap 'umount -l "$folder/root/proc" "$folder/root/dev" 2>/dev/null || true; rm -rf --one-file-system "$folder"' EXIT
root=$folder/root

# host_sources: the host's own lines and stanzas that lead to a Debian archive.
host_sources() {
    local file
    for file in /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list.d/ubuntu.sources /etc/apt/sources.list; do
        if [[ -s $file ]] && grep -qE '^(deb |Types:)' "$file"; then
            cat "$file"
            return
        fi
    done
    fail "no Debian archive is named in /etc/apt/sources.list or /etc/apt/sources.list.d/debian.sources"
}

# inside COMMAND…: in the clean root, as its root, with an environment of its own.
inside() {
    env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb LC_ALL=C.UTF-8 MANPAGER=cat \
        "${network[@]}" chroot "$root" "$@"
}
network=()
for name in http_proxy https_proxy no_proxy; do [[ -z ${!name:-} ]] || network+=("$name=${!name}"); done

begin "making a clean Debian ($(. /etc/os-release && echo "$VERSION_CODENAME")) with man-db"
# The documentation is what is tested, so no configuration that leaves it out.
host_sources | mmdebstrap --quiet --variant=minbase --include=man-db,ca-certificates \
    "$(. /etc/os-release && echo "$VERSION_CODENAME")" "$root" -
mount --bind /dev "$root/dev"
mount -t proc proc "$root/proc"
! inside sh -c 'command -v swift' >/dev/null || fail "the clean root has Swift in it: nothing would be shown"
finish "$(inside dpkg-query -W -f '.' | wc -c) packages,"

begin "installing $package with what it depends on"
cp "$package" "$root/tmp/apus.deb"
inside apt-get update -qq
inside apt-get install -y -qq --no-install-recommends /tmp/apus.deb >"$folder/log" 2>&1 ||
    { cat "$folder/log" >&2; fail "apt cannot install the package"; }
inside apus --version
finish "installed"

begin "reading the manual, completing a word, booting a guest"
inside man apus | grep -q 'virtual machines' || fail "'man apus' does not show the manual"
inside man apus-run | grep -q -- '--memory' || fail "'man apus-run' does not name --memory"
inside bash -c '. /usr/share/bash-completion/completions/apus; complete -p apus' >/dev/null ||
    fail "the completions for bash define none for apus"
if [[ -n ${IMAGES:-} ]]; then
    mkdir -p "$root/root/.local/share/apus"
    cp -r "$IMAGES" "$root/root/.local/share/apus/images"
fi
# shellcheck disable=SC2016  # the guest's shell expands it
said=$(inside apus run debian-micro --timeout 10m -- sh -c 'echo "$(uname -m) with $(ls /sys/class/net | tr "\n" " ")"')
echo "      the guest says: $said"
[[ $said == "riscv64 with "*eth0* ]] || fail "the guest did not answer as it should"
finish "used"

begin "removing it"
inside apt-get purge -y -qq apus >"$folder/log" 2>&1 || { cat "$folder/log" >&2; fail "apt cannot remove the package"; }
left=$(cd "$root" && find usr etc var/lib -path var/lib/dpkg -prune -o -path var/lib/apt -prune -o -name '*apus*' -print)
[[ -z $left ]] || fail "removing the package left this behind: $left"
finish "nothing is left"
