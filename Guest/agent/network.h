// SPDX-License-Identifier: Apache-2.0
#ifndef APUS_NETWORK_H
#define APUS_NETWORK_H

// NETWORK_NONE where no network interface is up, NETWORK_READY once there is a default route or the image's own
// scripts have said that there will be none, NETWORK_COMING in between.
int network_state(void);

#endif
