#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Puts what `make build` built below PREFIX (/usr/local), in the folder DESTDIR if one is given.
# usage: [PREFIX=FOLDER] [DESTDIR=FOLDER] install.sh [--uninstall]
# Every path that the program looks for is relative to its own, so that the tree may be moved as a whole.
source "$(dirname "$0")/common.sh"

prefix=${PREFIX:-/usr/local}
[[ $prefix == /* ]] || fail "PREFIX is a path that begins with a slash, not '$prefix'"
root=${DESTDIR:-}$prefix
built=.build/release
manuals=$root/share/man/man1

if [[ ${1:-} == --uninstall ]]; then
    rm -f "$root/bin/apus" "$manuals"/apus.1 "$manuals"/apus-*.1 \
        "$root/share/bash-completion/completions/apus" "$root/share/zsh/site-functions/_apus" \
        "$root/share/fish/vendor_completions.d/apus.fish"
    rm -rf "$root/libexec/apus" "$root/share/apus" "$root/share/doc/apus"
    echo "apus is removed from $root; guests and images in users' data folders are not"
    exit 0
fi

for file in apus apus-net apus-agent-riscv64 apus-agent-x86_64; do
    [[ -f $built/$file ]] || fail "$built/$file is not there: run 'make build' first, as the user who owns the checkout"
done
mkdir -p "$root" 2>/dev/null || true
[[ -w $root ]] || fail "cannot write to $root: install as root, or below a folder of your own with PREFIX=\$HOME/.local"

install -D -m 755 --strip "$built/apus" "$root/bin/apus"
install -D -m 755 --strip "$built/apus-net" "$root/libexec/apus/apus-net"
# Data to this host, a program to guests: the kernel in the guest wants it executable.
for platform in riscv64 x86_64; do
    install -D -m 755 "$built/apus-agent-$platform" "$root/share/apus/apus-agent-$platform"
done

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# The date of the sources, so that the same sources make the same pages.
date=$(date -u -d "@${SOURCE_DATE_EPOCH:-$(source_date)}" +%F)
python3 Scripts/manual/manual.py "$built/apus" "$folder/man" --date "$date" >/dev/null
install -D -m 644 -t "$manuals" "$folder"/man/*.1

# What completes the words of a command line comes from the parser too.
for shell in bash zsh fish; do "$built/apus" --generate-completion-script "$shell" >"$folder/$shell"; done
# It is sourced, never run.
sed -i '1{/^#!/d}' "$folder/bash"
install -D -m 644 "$folder/bash" "$root/share/bash-completion/completions/apus"
install -D -m 644 "$folder/zsh" "$root/share/zsh/site-functions/_apus"
install -D -m 644 "$folder/fish" "$root/share/fish/vendor_completions.d/apus.fish"

install -D -m 644 -t "$root/share/doc/apus" README.md CHANGELOG.md SECURITY.md SPECIFICATION.md NOTICE LICENSE
find docs -maxdepth 1 -name '*.md' ! -name NEXT.md -exec install -D -m 644 -t "$root/share/doc/apus/docs" {} +
echo "$("$built/apus" --version) is installed below $root"
