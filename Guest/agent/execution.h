// SPDX-License-Identifier: Apache-2.0
//
// The commands that run for the host: their pipes, windows and ends.
#ifndef APUS_EXECUTION_H
#define APUS_EXECUTION_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "port.h"
#include "protocol.h"

// What EXEC asks for; the strings point into the request.
struct command {
    uint32_t flags, network_wait;
    uint32_t credit;  // for stdout and for stderr, each
    char *directory;
    char **arguments;    // NULL-terminated
    char **environment;  // NULL-terminated
};

enum { POLLS_EACH = 4 };

bool executions_contain(uint32_t id);
// Starts `command` as execution `id`. When that fails the host is told by EXIT: nothing to do for the caller.
void executions_start(struct port *port, uint32_t id, const struct command *command);
// Appends to the stdin of `id`. False if the host went past its window.
bool executions_write(uint32_t id, const unsigned char *data, size_t count);
void executions_close_stdin(uint32_t id);
void executions_signal(uint32_t id, int number);
// Adds to the credit of stdout (1) or stderr (2). False if it grows past CREDIT_LIMIT.
bool executions_credit(uint32_t id, uint32_t stream, uint32_t count);
// The host's session ended: hangs up on every execution and forgets it.
void executions_hang_up(void);
void executions_reap(void);

// Fills `fds` with at most EXECUTION_LIMIT * POLLS_EACH entries and returns how many.
nfds_t executions_poll(const struct port *port, struct pollfd *fds);
// Moves what can be moved: stdin out of the windows, output into frames, ends to the host. `fds` as filled, and
// answered by poll(2).
void executions_pump(struct port *port, const struct pollfd *fds);

#endif
