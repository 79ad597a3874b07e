// SPDX-License-Identifier: Apache-2.0
#include "port.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "protocol.h"

// One EXEC and a little: nothing larger ever waits here.
static unsigned char input[HEADER_SIZE + EXEC_LIMIT + DATA_LIMIT];
// A host that does not read stops the pumps, and then the requests, long before this is full.
static unsigned char output[1024 * 1024];

static bool find_by_name(char *path, size_t size) {
    DIR *ports = opendir("/sys/class/virtio-ports");
    if (!ports) return false;
    bool found = false;
    struct dirent *entry;
    while (!found && (entry = readdir(ports))) {
        if (entry->d_name[0] == '.') continue;
        char file[PATH_MAX], name[64];
        if ((size_t)snprintf(file, sizeof file, "/sys/class/virtio-ports/%s/name", entry->d_name) >= sizeof file)
            continue;
        int fd = open(file, O_RDONLY | O_CLOEXEC);
        if (fd < 0) continue;
        ssize_t count = read(fd, name, sizeof name - 1);
        close(fd);
        if (count <= 0) continue;
        name[count] = '\0';
        name[strcspn(name, "\n")] = '\0';
        found = strcmp(name, PORT_NAME) == 0 &&
                (size_t)snprintf(path, size, "/dev/%s", entry->d_name) < size;
    }
    closedir(ports);
    return found;
}

static int open_uevents(void) {
    int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT);
    if (fd < 0) return -1;
    struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = 1};
    if (bind(fd, (struct sockaddr *)&address, sizeof address) == 0) return fd;
    close(fd);
    return -1;
}

void port_start(struct port *port) {
    port->uevents = -1;
    port->in_start = port->in_end = port->out_start = port->out_end = 0;
    if (port->fixed) {
        fcntl(port->fd, F_SETFL, fcntl(port->fd, F_GETFL) | O_NONBLOCK);
        fcntl(port->fd, F_SETFD, FD_CLOEXEC);
        port->state = PORT_ABSENT;
        return;
    }
    port->fd = -1;
    port->state = PORT_ABSENT;
    // Before the first search, so that a port which comes in between is not missed.
    if (!port->device) port->uevents = open_uevents();
}

static void begin(struct port *port) {
    port->in_start = port->in_end = port->out_start = port->out_end = 0;
    port->state = PORT_OPEN;
}

// Host not connected: virtio_console raises SIGIO when that changes, and poll(2) would return at once each time.
static void silence(struct port *port) {
    port->state = PORT_SILENT;
    fcntl(port->fd, F_SETOWN, getpid());
    fcntl(port->fd, F_SETFL, fcntl(port->fd, F_GETFL) | O_ASYNC);
}

static void drop(struct port *port) {
    if (!port->fixed) {
        close(port->fd);
        port->fd = -1;
    }
    port->state = PORT_ABSENT;
}

bool port_open(struct port *port) {
    if (port->state == PORT_OPEN) return false;
    if (port->fixed) {
        begin(port);
        return true;
    }
    if (port->state == PORT_SILENT) {
        struct pollfd fd = {.fd = port->fd, .events = POLLIN | POLLOUT};
        if (poll(&fd, 1, 0) < 0 || (fd.revents & (POLLERR | POLLNVAL))) {
            drop(port);
        } else if (fd.revents & POLLHUP) {
            // Unplugged and not connected look the same to poll(2); a read tells them apart.
            unsigned char byte;
            if (read(port->fd, &byte, 1) < 0 && errno != EAGAIN && errno != EINTR) drop(port);
            return false;
        } else {
            fcntl(port->fd, F_SETFL, fcntl(port->fd, F_GETFL) & ~O_ASYNC);
            begin(port);
            return true;
        }
    }
    char path[PATH_MAX];
    const char *device = port->device;
    if (!device) {
        if (!find_by_name(path, sizeof path)) return false;
        device = path;
    }
    port->fd = open(device, O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (port->fd < 0) return false;
    struct termios terminal;
    if (tcgetattr(port->fd, &terminal) == 0) {  // a pseudo-terminal stands in for the port
        cfmakeraw(&terminal);
        tcsetattr(port->fd, TCSANOW, &terminal);
    }
    begin(port);
    return true;
}

nfds_t port_poll(struct port *port, struct pollfd *fds, bool want_input) {
    nfds_t count = 0;
    if (port->state == PORT_OPEN) {
        short events = (short)((want_input ? POLLIN : 0) | (port_has_output(port) ? POLLOUT : 0));
        fds[count++] = (struct pollfd){.fd = port->fd, .events = events};
    }
    if (port->uevents >= 0) fds[count++] = (struct pollfd){.fd = port->uevents, .events = POLLIN};
    return count;
}

static bool ended(struct port *port, bool gone) {
    if (gone || port->fixed)
        drop(port);
    else
        silence(port);
    return false;
}

bool port_receive(struct port *port, short revents) {
    if (revents & (POLLERR | POLLNVAL)) return ended(port, true);
    if (!(revents & (POLLIN | POLLHUP))) return true;
    if (port->in_start > 0) {
        memmove(input, input + port->in_start, port->in_end - port->in_start);
        port->in_end -= port->in_start;
        port->in_start = 0;
    }
    if (port->in_end == sizeof input) return true;
    size_t room = sizeof input - port->in_end;
    ssize_t count = read(port->fd, input + port->in_end, room < DATA_LIMIT ? room : DATA_LIMIT);
    if (count > 0) {
        port->in_end += (size_t)count;
        return true;
    }
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return revents & POLLHUP ? ended(port, false) : true;
    return ended(port, count < 0);
}

void port_drain_uevents(struct port *port) {
    char message[4096];
    while (port->uevents >= 0 && recv(port->uevents, message, sizeof message, MSG_DONTWAIT) > 0) continue;
}

const unsigned char *port_input(const struct port *port, size_t *count) {
    *count = port->in_end - port->in_start;
    return input + port->in_start;
}

void port_consume(struct port *port, size_t count) {
    port->in_start += count;
}

bool port_has_room(const struct port *port, size_t payload) {
    return sizeof output - (port->out_end - port->out_start) >= HEADER_SIZE + payload;
}

unsigned char *port_payload(struct port *port, size_t payload) {
    if (sizeof output - port->out_end < HEADER_SIZE + payload) {
        memmove(output, output + port->out_start, port->out_end - port->out_start);
        port->out_end -= port->out_start;
        port->out_start = 0;
    }
    return output + port->out_end + HEADER_SIZE;
}

void port_commit(struct port *port, uint16_t type, uint32_t id, size_t payload) {
    unsigned char *header = output + port->out_end;
    store32(header, (uint32_t)payload);
    store32(header + 4, id);
    store16(header + 8, type);
    store16(header + 10, 0);
    port->out_end += HEADER_SIZE + payload;
}

void port_send(struct port *port, uint16_t type, uint32_t id, const unsigned char *payload, size_t count) {
    if (port->state != PORT_OPEN || !port_has_room(port, count)) return;
    memcpy(port_payload(port, count), payload, count);
    port_commit(port, type, id, count);
}

bool port_flush(struct port *port) {
    while (port->state == PORT_OPEN && port->out_start < port->out_end) {
        ssize_t count = write(port->fd, output + port->out_start, port->out_end - port->out_start);
        if (count > 0) {
            port->out_start += (size_t)count;
        } else if (count < 0 && errno == EINTR) {
            continue;
        } else if (count == 0 || errno == EAGAIN) {
            return true;
        } else {
            // virtio_console says EPIPE while the host is not connected, ENODEV once the device is gone.
            return ended(port, errno != EPIPE);
        }
    }
    if (port->out_start == port->out_end) port->out_start = port->out_end = 0;
    return true;
}

bool port_has_output(const struct port *port) {
    return port->state == PORT_OPEN && port->out_start < port->out_end;
}
