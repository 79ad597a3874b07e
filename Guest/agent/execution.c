// SPDX-License-Identifier: Apache-2.0
#include "execution.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "network.h"

enum { STDIN, STDOUT, STDERR, START, DESCRIPTORS };

struct execution {
    uint32_t id;  // 0: this slot is free
    pid_t pid;
    int fds[DESCRIPTORS];  // our ends; -1 once closed
    int slots[DESCRIPTORS];  // where each one is in the array for poll(2), or -1
    uint32_t credit[2];
    bool started, failed, exited, close_stdin, stdin_closed_by_command, told_stdin_closed;
    int status;
    uint32_t failure[2];  // stage, errno
    uint32_t returned;  // bytes of stdin taken and not yet given back to the host as credit
    size_t head, count;  // the ring of stdin
};

static struct execution executions[EXECUTION_LIMIT];
static unsigned char rings[EXECUTION_LIMIT][STDIN_WINDOW];

static struct execution *find(uint32_t id) {
    for (size_t i = 0; i < EXECUTION_LIMIT; i++)
        if (id != 0 && executions[i].id == id) return &executions[i];
    return NULL;
}

static void close_fd(struct execution *e, int which) {
    if (e->fds[which] >= 0) close(e->fds[which]);
    e->fds[which] = -1;
    e->slots[which] = -1;
}

bool executions_contain(uint32_t id) {
    return find(id) != NULL;
}

static _Noreturn void fail(int report, uint32_t stage) {
    uint32_t failure[2] = {stage, (uint32_t)errno};
    ssize_t written = write(report, failure, sizeof failure);
    _exit(written == (ssize_t)sizeof failure ? 127 : 126);
}

static void wait_for_network(uint32_t milliseconds) {
    struct timespec pause = {.tv_nsec = 20 * 1000 * 1000};
    for (uint32_t waited = 0; waited < milliseconds && network_state() == NETWORK_COMING; waited += 20)
        nanosleep(&pause, NULL);
}

// In the new process: its ends of the pipes become 0, 1 and 2, and everything of ours that it would inherit goes.
static _Noreturn void become(const struct command *command, const int theirs[3], int report) {
    for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setsid();
    for (int fd = 0; fd < 3; fd++)
        if (dup2(theirs[fd], fd) < 0) fail(report, STAGE_RESOURCES);
    // All else would close at execvp, but the wait may be long, and another command's stdin ends only once nobody
    // holds its pipe. A kernel without close_range(2) leaves it at that.
    if (report != 3 && dup3(report, 3, O_CLOEXEC) < 0) fail(report, STAGE_RESOURCES);
    report = 3;
    close_range(4, ~0U, 0);
    if (command->flags & EXEC_WAIT_FOR_NETWORK) wait_for_network(command->network_wait);
    if (command->directory[0] && chdir(command->directory) != 0) fail(report, STAGE_DIRECTORY);
    environ = command->environment;
    execvp(command->arguments[0], command->arguments);
    fail(report, STAGE_EXECUTE);
}

// A pipe with both ends above 2, so that none is overwritten while the new process sorts its own.
static bool make_pipe(int ends[2]) {
    int low[2];
    if (pipe2(low, O_CLOEXEC) != 0) return false;
    for (int i = 0; i < 2; i++) {
        ends[i] = fcntl(low[i], F_DUPFD_CLOEXEC, 3);
        close(low[i]);
    }
    if (ends[0] >= 0 && ends[1] >= 0) return true;
    for (int i = 0; i < 2; i++)
        if (ends[i] >= 0) close(ends[i]);
    errno = EMFILE;
    return false;
}

static void send_exit(struct port *port, uint32_t id, uint32_t kind, uint32_t value, uint32_t stage) {
    unsigned char payload[12];
    store32(payload, kind);
    store32(payload + 4, value);
    store32(payload + 8, stage);
    port_send(port, FRAME_EXIT, id, payload, sizeof payload);
}

void executions_start(struct port *port, uint32_t id, const struct command *command) {
    struct execution *e = NULL;
    for (size_t i = 0; i < EXECUTION_LIMIT && !e; i++)
        if (executions[i].id == 0) e = &executions[i];
    if (!e) {
        send_exit(port, id, EXIT_NOT_STARTED, EAGAIN, STAGE_RESOURCES);
        return;
    }
    int pipes[DESCRIPTORS][2];
    for (int i = 0; i < DESCRIPTORS; i++) {
        if (make_pipe(pipes[i])) continue;
        int error = errno;
        while (i-- > 0) {
            close(pipes[i][0]);
            close(pipes[i][1]);
        }
        send_exit(port, id, EXIT_NOT_STARTED, (uint32_t)error, STAGE_RESOURCES);
        return;
    }
    // Fewer switches between the agent and a command that writes much; the default is fine where it is refused.
    fcntl(pipes[STDOUT][1], F_SETPIPE_SZ, 256 * 1024);
    fcntl(pipes[STDIN][1], F_SETPIPE_SZ, 256 * 1024);

    pid_t pid = fork();
    if (pid == 0) {
        const int theirs[3] = {pipes[STDIN][0], pipes[STDOUT][1], pipes[STDERR][1]};
        become(command, theirs, pipes[START][1]);
    }
    int error = errno;
    *e = (struct execution){.id = id, .pid = pid, .credit = {command->credit, command->credit}};
    for (int i = 0; i < DESCRIPTORS; i++) {
        int ours = i == STDIN ? 1 : 0;
        close(pipes[i][1 - ours]);
        e->fds[i] = pipes[i][ours];
        e->slots[i] = -1;
        fcntl(e->fds[i], F_SETFL, O_NONBLOCK);
    }
    if (pid >= 0) return;
    for (int i = 0; i < DESCRIPTORS; i++) close_fd(e, i);
    e->id = 0;
    send_exit(port, id, EXIT_NOT_STARTED, (uint32_t)error, STAGE_RESOURCES);
}

bool executions_write(uint32_t id, const unsigned char *data, size_t count) {
    struct execution *e = find(id);
    if (!e || e->close_stdin) return true;
    // Credit that is not given back yet still counts as used: the host knows nothing of it.
    if (count > STDIN_WINDOW - e->count - e->returned) return false;
    if (e->fds[STDIN] < 0) return true;
    unsigned char *ring = rings[e - executions];
    size_t tail = (e->head + e->count) % STDIN_WINDOW;
    size_t first = count < STDIN_WINDOW - tail ? count : STDIN_WINDOW - tail;
    memcpy(ring + tail, data, first);
    memcpy(ring, data + first, count - first);
    e->count += count;
    return true;
}

void executions_close_stdin(uint32_t id) {
    struct execution *e = find(id);
    if (e) e->close_stdin = true;
}

void executions_signal(uint32_t id, int number) {
    struct execution *e = find(id);
    // Its own session, so the group has the number of the process; until setsid only the process is there.
    if (e && !e->exited && kill(-e->pid, number) != 0) kill(e->pid, number);
}

bool executions_credit(uint32_t id, uint32_t stream, uint32_t count) {
    struct execution *e = find(id);
    if (!e) return true;
    if (count > CREDIT_LIMIT - e->credit[stream - 1]) return false;
    e->credit[stream - 1] += count;
    return true;
}

void executions_hang_up(void) {
    for (size_t i = 0; i < EXECUTION_LIMIT; i++) {
        struct execution *e = &executions[i];
        if (e->id == 0) continue;
        if (!e->exited && kill(-e->pid, SIGHUP) != 0) kill(e->pid, SIGHUP);
        for (int fd = 0; fd < DESCRIPTORS; fd++) close_fd(e, fd);
        e->id = 0;
    }
}

void executions_reap(void) {
    int status;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
        for (size_t i = 0; i < EXECUTION_LIMIT; i++) {
            struct execution *e = &executions[i];
            if (e->id == 0 || e->pid != pid || e->exited) continue;
            e->exited = true;
            e->status = status;
        }
    }
}

nfds_t executions_poll(const struct port *port, struct pollfd *fds) {
    nfds_t count = 0;
    bool open = port->state == PORT_OPEN;
    bool room = port_has_room(port, 2 * DATA_LIMIT);
    for (size_t i = 0; i < EXECUTION_LIMIT; i++) {
        struct execution *e = &executions[i];
        for (int which = 0; e->id != 0 && which < DESCRIPTORS; which++) {
            e->slots[which] = -1;
            if (e->fds[which] < 0 || !open) continue;
            bool wanted = which == STDIN ? true : which == START || (room && e->credit[which - STDOUT] > 0);
            if (!wanted) continue;
            // Without data for stdin the entry still tells when the command closes its end.
            short events = which == STDIN ? (short)(e->count > 0 ? POLLOUT : 0) : POLLIN;
            e->slots[which] = (int)count;
            fds[count++] = (struct pollfd){.fd = e->fds[which], .events = events};
        }
    }
    return count;
}

static bool is_ready(const struct execution *e, int which, const struct pollfd *fds) {
    return e->fds[which] >= 0 && e->slots[which] >= 0 && fds[e->slots[which]].revents != 0;
}

static void pump_start(struct execution *e) {
    uint32_t failure[2];
    ssize_t count = read(e->fds[START], failure, sizeof failure);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    e->failed = count == (ssize_t)sizeof failure;
    e->started = !e->failed;
    if (e->failed) memcpy(e->failure, failure, sizeof failure);
    close_fd(e, START);
}

static void pump_stdin(struct port *port, struct execution *e, bool ready) {
    const unsigned char *ring = rings[e - executions];
    while (e->fds[STDIN] >= 0 && e->count > 0 && ready) {
        size_t run = e->count < STDIN_WINDOW - e->head ? e->count : STDIN_WINDOW - e->head;
        ssize_t written = write(e->fds[STDIN], ring + e->head, run);
        if (written < 0) {
            if (errno == EINTR) continue;
            if (errno != EAGAIN) e->stdin_closed_by_command = true;
            break;
        }
        e->head = (e->head + (size_t)written) % STDIN_WINDOW;
        e->count -= (size_t)written;
        e->returned += (uint32_t)written;
    }
    if (ready && e->count == 0 && e->fds[STDIN] >= 0) {
        struct pollfd fd = {.fd = e->fds[STDIN]};
        if (poll(&fd, 1, 0) > 0 && (fd.revents & POLLERR)) e->stdin_closed_by_command = true;
    }
    if (e->stdin_closed_by_command || e->exited) {
        e->count = 0;
        close_fd(e, STDIN);
    } else if (e->close_stdin && e->count == 0) {
        close_fd(e, STDIN);
    }
    // A quarter of the window at a time: few frames, and the host never runs dry.
    bool give_back = e->returned >= STDIN_WINDOW / 4 || (e->returned > 0 && e->count == 0);
    if (give_back && e->fds[STDIN] >= 0 && !e->close_stdin && port_has_room(port, 4)) {
        unsigned char payload[4];
        store32(payload, e->returned);
        port_send(port, FRAME_STDIN_CREDIT, e->id, payload, sizeof payload);
        e->returned = 0;
    }
    if (e->stdin_closed_by_command && !e->told_stdin_closed && port_has_room(port, 0)) {
        port_send(port, FRAME_STDIN_CLOSED, e->id, NULL, 0);
        e->told_stdin_closed = true;
    }
}

static void pump_output(struct port *port, struct execution *e, int which) {
    uint32_t *credit = &e->credit[which - STDOUT];
    while (e->fds[which] >= 0 && *credit > 0 && port_has_room(port, 2 * DATA_LIMIT)) {
        size_t limit = *credit < DATA_LIMIT ? *credit : DATA_LIMIT;
        ssize_t count = read(e->fds[which], port_payload(port, limit), limit);
        if (count > 0) {
            port_commit(port, which == STDOUT ? FRAME_STDOUT : FRAME_STDERR, e->id, (size_t)count);
            *credit -= (uint32_t)count;
            // A command that goes on gets its next turn after the others; one that ended is drained.
            if (!e->exited) return;
        } else if (count < 0 && errno == EINTR) {
            continue;
        } else {
            // Empty after the command's end: what a process in the background writes later goes to nobody.
            if (count == 0 || errno != EAGAIN || e->exited) close_fd(e, which);
            return;
        }
    }
}

static void pump_end(struct port *port, struct execution *e) {
    if (!e->exited || e->fds[START] >= 0 || e->fds[STDOUT] >= 0 || e->fds[STDERR] >= 0) return;
    if (!port_has_room(port, 12)) return;
    if (e->failed)
        send_exit(port, e->id, EXIT_NOT_STARTED, e->failure[1], e->failure[0]);
    else if (WIFSIGNALED(e->status))
        send_exit(port, e->id, EXIT_SIGNAL, (uint32_t)WTERMSIG(e->status), 0);
    else
        send_exit(port, e->id, EXIT_CODE, (uint32_t)WEXITSTATUS(e->status), 0);
    close_fd(e, STDIN);
    e->id = 0;
}

void executions_pump(struct port *port, const struct pollfd *fds) {
    for (size_t i = 0; i < EXECUTION_LIMIT; i++) {
        struct execution *e = &executions[i];
        if (e->id == 0 || port->state != PORT_OPEN) continue;
        if (e->fds[START] >= 0 && (e->exited || is_ready(e, START, fds))) {
            pump_start(e);
            if (e->started && port_has_room(port, 4)) {
                unsigned char payload[4];
                store32(payload, (uint32_t)e->pid);
                port_send(port, FRAME_STARTED, e->id, payload, sizeof payload);
            }
        }
        pump_stdin(port, e, is_ready(e, STDIN, fds));
        if (e->exited || is_ready(e, STDOUT, fds)) pump_output(port, e, STDOUT);
        if (e->exited || is_ready(e, STDERR, fds)) pump_output(port, e, STDERR);
        pump_end(port, e);
    }
}
