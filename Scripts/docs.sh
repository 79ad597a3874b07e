#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The reference of ApusKit as a web page of its own, from the modules of `make build`: .build/docs/ApusKit.
# Its own tools do it, symbol graph and all, so that no package that depends on Apus has a documentation plugin to fetch.
source "$(dirname "$0")/common.sh"

if ! command -v docc >/dev/null || ! command -v swift-symbolgraph-extract >/dev/null; then
    echo "note: no reference is made, for docc or swift-symbolgraph-extract is not on PATH; both come with Swift" >&2
    exit 0
fi
Scripts/build.sh
built=.build/release
graphs=.build/docs/graphs
rm -rf .build/docs
mkdir -p "$graphs"

# The C targets' module maps: made by the build, or lying beside their headers.
options=(-I "$built/Modules")
for map in "$built"/*.build/module.modulemap; do options+=(-Xcc "-fmodule-map-file=$map"); done
while read -r map; do options+=(-I "$(dirname "$map")"); done < <(
    find Sources .build/checkouts -name module.modulemap -not -path '*/Tests/*')
swift-symbolgraph-extract -module-name ApusKit -target "$(uname -m)-unknown-linux-gnu" "${options[@]}" \
    -minimum-access-level public -skip-synthesized-members -output-dir "$graphs"
# Extensions of others' types are not ApusKit's to document.
rm -f "$graphs"/ApusKit@*.symbols.json

docc convert Sources/ApusKit/ApusKit.docc --additional-symbol-graph-dir "$graphs" --output-path .build/docs/ApusKit \
    --fallback-display-name ApusKit --fallback-bundle-identifier apus.ApusKit --warnings-as-errors
echo ".build/docs/ApusKit is made; 'docc preview' or any web server shows it"
