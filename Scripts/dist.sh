#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Makes a tarball that runs where it is unpacked, without Swift: .build/dist/apus-VERSION-ARCHITECTURE-linux.tar.gz.
# Swift's runtime is inside; of the host it takes glibc, libstdc++ and the libraries that it names at the end.
source "$(dirname "$0")/common.sh"

steps=3
build_for_packaging

begin "packing"
version=$(.build/release/apus --version | cut -d ' ' -f 2)
name=apus-$version${APUS_COMMIT:+-$APUS_COMMIT}-$(uname -m)-linux
tree=.build/dist/$name
rm -rf "$tree"
DESTDIR=$PWD/$tree PREFIX=/ Scripts/install.sh >/dev/null
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(source_date)}
tar --create --gzip --file "$tree.tar.gz" --directory .build/dist --sort=name --owner=0 --group=0 --numeric-owner \
    --mtime="@$SOURCE_DATE_EPOCH" "$name"

# libraries PROGRAM: the shared libraries that it names itself, Swift's must not be among them.
libraries() {
    readelf --dynamic --wide "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\].*/\1/p' | sort | tr '\n' ' '
}
for program in bin/apus libexec/apus/apus-net; do
    needed=$(libraries "$tree/$program")
    [[ $needed != *[sS]wift* && $needed != *Foundation* && $needed != *dispatch* ]] ||
        fail "$program is linked with Swift's runtime as a shared library: $needed"
    echo "      $program needs: $needed"
done
finish "$tree.tar.gz, $(($(stat -c %s "$tree.tar.gz") >> 10)) KiB,"
