// SPDX-License-Identifier: Apache-2.0
//
// The wire format between the host and the agent: docs/agent-protocol.md. Numbers here and in
// Sources/MachineCore/Agent/AgentProtocol.swift are the same.
#ifndef APUS_PROTOCOL_H
#define APUS_PROTOCOL_H

#include <stdint.h>

#define PORT_NAME "org.apus.agent.0"

enum {
    PROTOCOL_VERSION = 1,
    HEADER_SIZE = 12,
    MAGIC_SIZE = 16,
    HELLO_SIZE = 28,             // what the host sends: magic, version, nonce
    DATA_LIMIT = 64 * 1024,      // payload of every frame but EXEC
    EXEC_LIMIT = 1024 * 1024,    // payload of EXEC: arguments and environment
    STDIN_WINDOW = 256 * 1024,   // bytes of stdin the host may have on the way, each execution
    CREDIT_LIMIT = 16 * 1024 * 1024,
    EXECUTION_LIMIT = 32,
    NETWORK_WAIT_LIMIT = 60 * 1000,  // milliseconds
};

#define MAGIC "\0apus agent\r\n\032\001\377"

// Host to agent.
enum {
    FRAME_HELLO = 0x01,
    FRAME_EXEC = 0x02,
    FRAME_STDIN = 0x03,
    FRAME_CLOSE_STDIN = 0x04,
    FRAME_SIGNAL = 0x05,
    FRAME_CREDIT = 0x06,
    FRAME_POWER = 0x07,
    FRAME_PING = 0x08,
};

// Agent to host.
enum {
    FRAME_WELCOME = 0x81,
    FRAME_STARTED = 0x82,
    FRAME_STDOUT = 0x83,
    FRAME_STDERR = 0x84,
    FRAME_EXIT = 0x85,
    FRAME_STDIN_CREDIT = 0x86,
    FRAME_STDIN_CLOSED = 0x87,
    FRAME_ERROR = 0x88,
    FRAME_PONG = 0x89,
};

enum { EXEC_TERMINAL = 1, EXEC_WAIT_FOR_NETWORK = 2 };  // flags of EXEC
enum { EXIT_CODE = 0, EXIT_SIGNAL = 1, EXIT_NOT_STARTED = 2 };  // kinds of EXIT
enum { STAGE_EXECUTE = 0, STAGE_DIRECTORY = 1, STAGE_RESOURCES = 2 };  // what did not start
enum { POWER_OFF = 0, POWER_REBOOT = 1 };
enum { NETWORK_NONE = 0, NETWORK_COMING = 1, NETWORK_READY = 2 };

static inline uint16_t load16(const unsigned char *p) { return (uint16_t)(p[0] | p[1] << 8); }

static inline uint32_t load32(const unsigned char *p) {
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline void store16(unsigned char *p, uint16_t v) {
    p[0] = (unsigned char)v;
    p[1] = (unsigned char)(v >> 8);
}

static inline void store32(unsigned char *p, uint32_t v) {
    store16(p, (uint16_t)v);
    store16(p + 2, (uint16_t)(v >> 16));
}

#endif
