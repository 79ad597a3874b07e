#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Everything about the source that a machine can hold. Prints each finding as path:line: [rule] sentence.
source "$(dirname "$0")/common.sh"

failed=0
note() { failed=1; }

mapfile -t swift_files < <(git ls-files --cached --others --exclude-standard '*.swift' | while read -r f; do [[ -f $f ]] && echo "$f"; done)
swift format lint --strict --parallel "${swift_files[@]}" || note

mapfile -t shell_files < <(git ls-files --cached --others --exclude-standard '*.sh' '.ci/run')
if command -v shellcheck >/dev/null; then
    shellcheck --external-sources --source-path=SCRIPTDIR "${shell_files[@]}" || note
else
    fail "shellcheck is missing: install the packages of the test set (make setup SET=test)"
fi

python3 Scripts/lint/selftest.py || note
python3 Scripts/lint/lint.py "$@" || note

((failed == 0)) || fail "lint has findings, above; 'make format' repairs those of form"
echo "lint: no findings"
