// SPDX-License-Identifier: Apache-2.0
//
// apus-agent: runs commands inside a guest for its host. docs/agent-protocol.md says how they talk.
//
//   apus-agent                 serve the virtio-console port named org.apus.agent.0, for as long as the guest runs
//   apus-agent --stdin         serve the stream on descriptor 0 until it ends (tests)
//   apus-agent --device PATH   serve PATH, and open it again when it goes away (tests)
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "execution.h"
#include "port.h"
#include "session.h"

enum { FIXED_POLLS = 3, GRACE_SECONDS = 10 };

// The first process knows how to stop the machine in order. Should it not, the machine still goes down.
static void power(int action) {
    // systemd takes real-time signals for these; every other first process knows busybox's.
    if (access("/run/systemd/system", F_OK) == 0)
        kill(1, SIGRTMIN + (action == POWER_REBOOT ? 5 : 4));
    else
        kill(1, action == POWER_REBOOT ? SIGTERM : SIGUSR2);
    // The rest of the agent goes on, so that what is on its way still leaves.
    if (fork() == 0) {
        sleep(GRACE_SECONDS);
        sync();
        reboot(action == POWER_REBOOT ? RB_AUTOBOOT : RB_POWER_OFF);
        _exit(1);
    }
}

static int open_signals(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGIO);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int serve_port(struct port *port, struct session *session) {
    int signals = open_signals();
    if (signals < 0) {
        perror("apus-agent: no descriptor for signals");
        return 1;
    }
    port_start(port);
    session->power = -1;
    static struct pollfd fds[FIXED_POLLS + EXECUTION_LIMIT * POLLS_EACH];
    for (;;) {
        if (port_open(port)) session_reset(session);
        fds[0] = (struct pollfd){.fd = signals, .events = POLLIN};
        nfds_t fixed = 1 + port_poll(port, fds + 1, session_takes_input(port));
        nfds_t count = fixed + executions_poll(port, fds + fixed);
        // With no port to wait for, a look each second finds what uevents and SIGIO did not tell.
        int ready = poll(fds, count, port->state == PORT_OPEN ? -1 : 1000);
        if (ready < 0 && errno != EINTR) {
            perror("apus-agent: cannot wait");
            return 1;
        }
        struct signalfd_siginfo signal;
        while (read(signals, &signal, sizeof signal) > 0) continue;
        executions_reap();
        port_drain_uevents(port);
        bool alive = port->state != PORT_OPEN || port_receive(port, fds[1].revents);
        session_serve(session, port);
        executions_pump(port, fds + fixed);
        alive = port_flush(port) && alive;
        if (!alive && port->fixed) {
            executions_hang_up();
            return 0;
        }
        if (session->power >= 0 && !port_has_output(port)) {
            if (!session->may_power) return 0;
            power(session->power);
            session->power = -1;
        }
    }
}

int main(int count, char **arguments) {
    struct port port = {.fd = -1};
    struct session session = {.may_power = false};
    if (count == 1) {
        session.may_power = true;
    } else if (count == 2 && strcmp(arguments[1], "--stdin") == 0) {
        port.fd = STDIN_FILENO;
        port.fixed = true;
    } else if (count == 3 && strcmp(arguments[1], "--device") == 0) {
        port.device = arguments[2];
    } else {
        fprintf(stderr, "usage: apus-agent [--stdin | --device PATH]\n");
        return 2;
    }
    return serve_port(&port, &session);
}
