// SPDX-License-Identifier: Apache-2.0
//
// The stream to the host: a virtio-console port found by its name, or a descriptor that a test hands in.
#ifndef APUS_PORT_H
#define APUS_PORT_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum port_state { PORT_ABSENT, PORT_SILENT, PORT_OPEN };

struct port {
    int fd;
    int uevents;         // tells when a port appears; -1 where netlink is missing
    const char *device;  // a path instead of the search by name, or NULL
    bool fixed;          // fd was handed in: its end is the agent's end
    enum port_state state;
    size_t in_start, in_end;
    size_t out_start, out_end;
};

void port_start(struct port *port);
// Opens the port if it is there and not open yet. True when a new stream begins.
bool port_open(struct port *port);
// The port's entries for poll(2): fills up to two and returns how many.
nfds_t port_poll(struct port *port, struct pollfd *fds, bool want_input);
// After poll(2): reads what is there, at most one buffer. False when the stream ended.
bool port_receive(struct port *port, short revents);
void port_drain_uevents(struct port *port);

// Bytes received and not consumed yet; valid until the next port call.
const unsigned char *port_input(const struct port *port, size_t *count);
void port_consume(struct port *port, size_t count);

// Room for one more frame with `payload` bytes.
bool port_has_room(const struct port *port, size_t payload);
// Where the payload of the next frame goes: `port_has_room(port, payload)` holds.
unsigned char *port_payload(struct port *port, size_t payload);
void port_commit(struct port *port, uint16_t type, uint32_t id, size_t payload);
// Both in one, for small frames.
void port_send(struct port *port, uint16_t type, uint32_t id, const unsigned char *payload, size_t count);
// Writes what the host takes now. False when the stream ended.
bool port_flush(struct port *port);
bool port_has_output(const struct port *port);

#endif
