// SPDX-License-Identifier: Apache-2.0
//
// One host's session on the port: synchronisation, and the requests that follow.
#ifndef APUS_SESSION_H
#define APUS_SESSION_H

#include <stdbool.h>

#include "port.h"

struct session {
    bool synchronised;
    bool may_power;  // false in a test on a machine that must stay up: a request then ends the agent
    int power;       // POWER_OFF or POWER_REBOOT once asked for, else -1
};

// A new stream began: nothing counts before its HELLO.
void session_reset(struct session *session);
// Takes every whole request that has come.
void session_serve(struct session *session, struct port *port);
// Whether a request may be read: every answer to it has room.
bool session_takes_input(const struct port *port);

#endif
