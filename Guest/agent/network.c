// SPDX-License-Identifier: Apache-2.0
#include "network.h"

#include <net/if.h>
#include <net/route.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "protocol.h"

// Written by the image's udhcpc script: a lease came, or none will.
#define ANSWERED "/run/apus/network"

static bool some_interface_is_up(void) {
    struct if_nameindex *interfaces = if_nameindex();
    if (!interfaces) return false;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool up = false;
    for (struct if_nameindex *i = interfaces; fd >= 0 && !up && i->if_index != 0; i++) {
        struct ifreq request = {0};
        snprintf(request.ifr_name, sizeof request.ifr_name, "%s", i->if_name);
        if (ioctl(fd, SIOCGIFFLAGS, &request) == 0)
            up = (request.ifr_flags & IFF_UP) && !(request.ifr_flags & IFF_LOOPBACK);
    }
    if (fd >= 0) close(fd);
    if_freenameindex(interfaces);
    return up;
}

static bool has_default_route(void) {
    FILE *routes = fopen("/proc/net/route", "re");
    if (!routes) return false;
    char line[256];
    bool found = false;
    while (!found && fgets(line, sizeof line, routes)) {
        unsigned long destination, gateway;
        unsigned flags;
        found = sscanf(line, "%*s %lx %lx %x", &destination, &gateway, &flags) == 3 && destination == 0 &&
                (flags & RTF_GATEWAY);
    }
    fclose(routes);
    return found;
}

int network_state(void) {
    if (has_default_route() || access(ANSWERED, F_OK) == 0) return NETWORK_READY;
    return some_interface_is_up() ? NETWORK_COMING : NETWORK_NONE;
}
