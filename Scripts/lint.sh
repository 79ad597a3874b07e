#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Everything about the source that a machine can hold. Prints each finding as path:line: [rule] sentence.
source "$(dirname "$0")/common.sh"

failed=0
note() { failed=1; }

# files PATTERN…: what is in the repository or about to be, whoever owns the checkout.
files() {
    git -c safe.directory='*' ls-files --cached --others --exclude-standard -- "$@" |
        while read -r file; do [[ -f $file ]] && printf '%s\n' "$file"; done
}

mapfile -t swift_files < <(files '*.swift')
swift format lint --strict --parallel "${swift_files[@]}" || note

mapfile -t shell_files < <(files 'Scripts/*.sh' '.ci/run')
# What runs in guests is for busybox's shell.
mapfile -t guest_files < <(files '*.sh' ':!Scripts/')
if command -v shellcheck >/dev/null; then
    shellcheck --external-sources --source-path=SCRIPTDIR "${shell_files[@]}" || note
    ((${#guest_files[@]} == 0)) || shellcheck --shell=dash --severity=error "${guest_files[@]}" || note
else
    fail "shellcheck is missing: install the packages of the test set (make setup SET=test)"
fi

python3 Scripts/lint/selftest.py || note
python3 Benchmarks/test_report.py || note
python3 Scripts/manual/test_manual.py || note
python3 Scripts/lint/lint.py "$@" || note

((failed == 0)) || fail "lint has findings, above; 'make format' repairs those of form"
echo "lint: no findings"
