// SPDX-License-Identifier: Apache-2.0
//
// libarchive (Debian package libarchive-dev): reads .deb, .tar and compressed files, writes cpio archives.
#ifndef APUS_CARCHIVE_SHIM_H
#define APUS_CARCHIVE_SHIM_H

#include <archive.h>
#include <archive_entry.h>

#endif
