// SPDX-License-Identifier: Apache-2.0
//
// The program's version. A target of its own, so that another commit compiles this and links, and no more.
#pragma once

/// "0.2.0 (abc1234)", "0.2.0 (abc1234+dirty)" or, where the commit is not known, "0.2.0".
/// Why C: a definition with a value is how a build tells its commit, and Swift's definitions have none.
const char *apus_version(void);
