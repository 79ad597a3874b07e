// SPDX-License-Identifier: Apache-2.0
#include "version.h"

// The one place that has the number.
#define NUMBER "0.2.0"

const char *apus_version(void) {
#ifdef APUS_COMMIT
    // Scripts/common.sh found the commit, the manifest passed it on.
    return NUMBER " (" APUS_COMMIT ")";
#else
    // `git archive` writes the commit between the dollar signs (.gitattributes).
    static const char archived[] = "$Format:%h$";
    return archived[0] == '$' ? NUMBER : NUMBER " ($Format:%h$)";
#endif
}
