// SPDX-License-Identifier: Apache-2.0
#include "session.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "execution.h"
#include "network.h"
#include "protocol.h"

// What each request may cost in answers, PONGs and EXITs of commands that do not start.
enum { ANSWER_ROOM = 4096, VARIABLE_LIMIT = 4096, ARGUMENT_LIMIT = 32 * 1024 };

static char *arguments[ARGUMENT_LIMIT + 1];
static char *environment[VARIABLE_LIMIT + 8 + 1];

void session_reset(struct session *session) {
    session->synchronised = false;
}

bool session_takes_input(const struct port *port) {
    return port_has_room(port, ANSWER_ROOM);
}

// Says why, and trusts nothing until the next HELLO.
static void refuse(struct session *session, struct port *port, const char *reason) {
    port_send(port, FRAME_ERROR, 0, (const unsigned char *)reason, strlen(reason));
    session->synchronised = false;
    executions_hang_up();
}

static void welcome(struct session *session, struct port *port, const unsigned char *nonce) {
    unsigned char payload[MAGIC_SIZE + 24];
    memcpy(payload, MAGIC, MAGIC_SIZE);
    store32(payload + MAGIC_SIZE, PROTOCOL_VERSION);
    memcpy(payload + MAGIC_SIZE + 4, nonce, 8);
    store32(payload + MAGIC_SIZE + 12, (uint32_t)network_state());
    store32(payload + MAGIC_SIZE + 16, EXECUTION_LIMIT);
    store32(payload + MAGIC_SIZE + 20, STDIN_WINDOW);
    port_send(port, FRAME_WELCOME, 0, payload, sizeof payload);
    session->synchronised = true;
}

// Before synchronisation: skips to the next HELLO. True when one was taken.
static bool find_hello(struct session *session, struct port *port) {
    size_t count;
    const unsigned char *bytes = port_input(port, &count);
    const size_t whole = HEADER_SIZE + HELLO_SIZE;
    for (size_t start = 0;; start++) {
        if (count - start < whole) {
            port_consume(port, start);
            return false;
        }
        const unsigned char *header = bytes + start, *payload = header + HEADER_SIZE;
        if (memcmp(payload, MAGIC, MAGIC_SIZE) != 0 || load16(header + 8) != FRAME_HELLO ||
            load32(header) != HELLO_SIZE)
            continue;
        executions_hang_up();
        // A host of a later version hears ours and decides.
        welcome(session, port, payload + MAGIC_SIZE + 4);
        port_consume(port, start + whole);
        return true;
    }
}

// The next of the NUL-terminated strings of a request; NULL when its last byte has been passed.
static char *next_string(char **position, char *end) {
    char *string = *position;
    char *zero = string < end ? memchr(string, 0, (size_t)(end - string)) : NULL;
    if (!zero) return NULL;
    *position = zero + 1;
    return string;
}

static bool names_same_variable(const char *a, const char *b) {
    size_t length = strcspn(a, "=");
    return strncmp(a, b, length) == 0 && b[length] == '=';
}

// flags, network wait, credit, number of arguments, number of variables; then directory, arguments, variables.
static const char *parse_exec(char *payload, size_t count, struct command *command) {
    const unsigned char *words = (const unsigned char *)payload;
    if (count < 20) return "EXEC is too short";
    command->flags = load32(words);
    command->network_wait = load32(words + 4);
    command->credit = load32(words + 8);
    uint32_t argument_count = load32(words + 12), variable_count = load32(words + 16);
    if (command->flags & ~(uint32_t)EXEC_WAIT_FOR_NETWORK) return "EXEC has flags this agent does not know";
    if (command->credit > CREDIT_LIMIT) return "EXEC gives too much credit";
    if (argument_count == 0 || argument_count > ARGUMENT_LIMIT) return "EXEC has a wrong number of arguments";
    if (variable_count > VARIABLE_LIMIT) return "EXEC has too many variables";
    if (command->network_wait > NETWORK_WAIT_LIMIT) command->network_wait = NETWORK_WAIT_LIMIT;

    char *position = payload + 20, *end = payload + count;
    if (!(command->directory = next_string(&position, end))) return "EXEC ends inside a string";
    for (uint32_t i = 0; i < argument_count; i++)
        if (!(arguments[i] = next_string(&position, end))) return "EXEC ends inside a string";
    arguments[argument_count] = NULL;

    // What every login has, unless the request says otherwise.
    static char *const defaults[] = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root",
                                     "USER=root", "TERM=dumb"};
    size_t variables = 0;
    for (uint32_t i = 0; i < variable_count; i++) {
        char *variable = next_string(&position, end);
        if (!variable) return "EXEC ends inside a string";
        if (variable[0] == '=' || !strchr(variable, '=')) return "EXEC has a variable without a name";
        environment[variables++] = variable;
    }
    for (size_t d = 0; d < sizeof defaults / sizeof *defaults; d++) {
        bool given = false;
        for (uint32_t i = 0; i < variable_count && !given; i++)
            given = names_same_variable(defaults[d], environment[i]);
        if (!given) environment[variables++] = defaults[d];
    }
    environment[variables] = NULL;
    command->arguments = arguments;
    command->environment = environment;
    return position == end ? NULL : "EXEC has bytes after its last string";
}

static const char *serve_exec(struct port *port, uint32_t id, char *payload, size_t count) {
    struct command command;
    if (id == 0) return "EXEC without a number";
    if (executions_contain(id)) return "EXEC with a number in use";
    const char *error = parse_exec(payload, count, &command);
    if (!error) executions_start(port, id, &command);
    return error;
}

// Serves one request; a reason when it breaks the protocol. Requests for an execution that has ended are dropped:
// they may have crossed its EXIT.
static const char *serve(struct session *session, struct port *port, uint16_t type, uint32_t id, char *payload,
                         size_t count) {
    const unsigned char *bytes = (const unsigned char *)payload;
    switch (type) {
    case FRAME_EXEC:
        return serve_exec(port, id, payload, count);
    case FRAME_STDIN:
        if (count == 0) return "STDIN without data";
        return executions_write(id, bytes, count) ? NULL : "STDIN past its window";
    case FRAME_CLOSE_STDIN:
        if (count != 0) return "CLOSE_STDIN with a payload";
        executions_close_stdin(id);
        return NULL;
    case FRAME_SIGNAL:
        if (count != 4 || load32(bytes) == 0 || load32(bytes) >= NSIG) return "SIGNAL without a signal's number";
        executions_signal(id, (int)load32(bytes));
        return NULL;
    case FRAME_CREDIT:
        if (count != 8 || load32(bytes) < 1 || load32(bytes) > 2) return "CREDIT without a stream";
        return executions_credit(id, load32(bytes), load32(bytes + 4)) ? NULL : "CREDIT grows past its limit";
    case FRAME_POWER:
        if (count != 4 || load32(bytes) > POWER_REBOOT) return "POWER without an action";
        session->power = (int)load32(bytes);
        return NULL;
    case FRAME_PING: {
        if (count != 8) return "PING without a cookie";
        unsigned char answer[12];
        memcpy(answer, bytes, 8);
        store32(answer + 8, (uint32_t)network_state());
        port_send(port, FRAME_PONG, 0, answer, sizeof answer);
        return NULL;
    }
    default:
        return "unknown frame";
    }
}

void session_serve(struct session *session, struct port *port) {
    while (port->state == PORT_OPEN && session_takes_input(port)) {
        if (!session->synchronised && !find_hello(session, port)) return;
        size_t count;
        const unsigned char *bytes = port_input(port, &count);
        if (count < HEADER_SIZE) return;
        uint32_t length = load32(bytes), id = load32(bytes + 4);
        uint16_t type = load16(bytes + 8);
        if (type == FRAME_HELLO && length == HELLO_SIZE) {
            // The host begins anew on a stream that did not end.
            session->synchronised = false;
            continue;
        }
        if (length > (type == FRAME_EXEC ? EXEC_LIMIT : DATA_LIMIT) || load16(bytes + 10) != 0) {
            port_consume(port, HEADER_SIZE);
            refuse(session, port, "malformed header");
            continue;
        }
        if (count < HEADER_SIZE + length) return;
        const char *reason = serve(session, port, type, id, (char *)bytes + HEADER_SIZE, length);
        port_consume(port, HEADER_SIZE + length);
        if (reason) refuse(session, port, reason);
    }
}
