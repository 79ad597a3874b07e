#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# network-up INTERFACE: brings an interface up and asks for its address in the background. Run it again after the
# device came back, for instance once its driver was unbound and bound.

interface=${1:-eth0}
pid=/run/apus/udhcpc.$interface
[ ! -r "$pid" ] || kill "$(cat "$pid")" 2> /dev/null
rm -f /run/apus/network
ip link set "$interface" up || exit 1
# Retries each second at first: an answer of the host's own network comes at once or never.
exec udhcpc -i "$interface" -s /usr/share/udhcpc/script -p "$pid" -b -t 5 -T 1 -A 3 < /dev/null > /dev/null 2>&1 &
