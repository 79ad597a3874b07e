#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Makes a Debian package for the release of Debian or Ubuntu that it is made on: .build/deb/apus_VERSION_ARCHITECTURE.deb.
source "$(dirname "$0")/common.sh"

steps=3
build_for_packaging

begin "packing"
architecture=$(dpkg --print-architecture)
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(source_date)}
export SOURCE_DATE_EPOCH
version=$(.build/release/apus --version | cut -d ' ' -f 2)
# What is not tagged comes before the release that has the number.
if ! git -c safe.directory='*' describe --exact-match --match "v$version" >/dev/null 2>&1; then
    version+="~git$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y%m%d)${APUS_COMMIT:+.$APUS_COMMIT}"
fi
maintainer=${DEBFULLNAME:-}${DEBFULLNAME:+ <${DEBEMAIL:-}>}
maintainer=${maintainer:-$(git -c safe.directory='*' log -1 --format='%cn <%ce>' 2>/dev/null || true)}
maintainer=${maintainer:-$(id -un) <$(id -un)@$(uname -n)>}

folder=.build/deb/tree
rm -rf .build/deb
DESTDIR=$PWD/$folder PREFIX=/usr Scripts/install.sh >/dev/null

# Where Debian wants things: zsh's completions of packages, pages and changelogs compressed, one copyright file.
mkdir -p "$folder/usr/share/zsh/vendor-completions" "$folder/DEBIAN"
mv "$folder/usr/share/zsh/site-functions/_apus" "$folder/usr/share/zsh/vendor-completions/"
rmdir "$folder/usr/share/zsh/site-functions"
documents=$folder/usr/share/doc/apus
rm "$documents/LICENSE"
mv "$documents/CHANGELOG.md" "$documents/changelog"
printf 'apus (%s) unstable; urgency=medium\n\n  * %s\n\n -- %s  %s\n' "$version" \
    "Built from commit ${APUS_COMMIT:-unknown}; changelog.gz says what changed." \
    "$maintainer" "$(date -u -R -d "@$SOURCE_DATE_EPOCH")" >"$documents/changelog.Debian"
gzip -9n "$folder"/usr/share/man/man1/*.1 "$documents/changelog" "$documents/changelog.Debian"
install -m 644 Scripts/debian/copyright "$documents/copyright"
install -D -m 644 Scripts/debian/lintian-overrides "$folder/usr/share/lintian/overrides/apus"

# What the programs are linked with, as the packages of this release call it; dpkg-shlibdeps wants a source package.
work=.build/deb/debian
mkdir -p "$work"
printf 'Source: apus\n\nPackage: apus\nArchitecture: any\n' >"$work/control"
depends=$(cd .build/deb && dpkg-shlibdeps -O tree/usr/bin/apus tree/usr/libexec/apus/apus-net |
    sed -n 's/^shlibs:Depends=//p')
[[ -n $depends ]] || fail "dpkg-shlibdeps found no dependency of .build/deb/tree/usr/bin/apus"

(cd "$folder" && find usr -type f -print0 | sort -z | xargs -0 md5sum) >"$folder/DEBIAN/md5sums"
sed -e "s|@VERSION@|$version|" -e "s|@ARCHITECTURE@|$architecture|" -e "s|@MAINTAINER@|$maintainer|" \
    -e "s|@SIZE@|$(du -sk --apparent-size "$folder/usr" | cut -f 1)|" -e "s|@DEPENDS@|$depends|" \
    Scripts/debian/control >"$folder/DEBIAN/control"
package=.build/deb/apus_${version}_$architecture.deb
chmod -R u=rwX,go=rX "$folder"
dpkg-deb --root-owner-group -Zxz --build "$folder" "$package" >/dev/null
echo "      depends on: $depends"
if command -v lintian >/dev/null; then
    lintian --fail-on error,warning --suppress-tags initial-upload-closes-no-bugs "$package" ||
        fail "lintian has findings, above"
fi
finish "$package, $(($(stat -c %s "$package") >> 10)) KiB,"
