#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Called by busybox's udhcpc: applies a DHCP lease. Name servers are written before the route, because the agent takes
# the route as the sign that the network is ready.

# shellcheck disable=SC2154  # udhcpc sets interface, ip, mask, router, dns, domain, mtu
case $1 in
deconfig)
    ip -4 addr flush dev "$interface"
    ip link set "$interface" up
    ;;
leasefail | nak)
    echo "$1" > /run/apus/network
    ;;
bound | renew)
    [ -z "$mtu" ] || ip link set "$interface" mtu "$mtu"
    ip -4 addr flush dev "$interface"
    ip -4 addr add "$ip/$mask" ${broadcast:+broadcast "$broadcast"} dev "$interface"
    {
        [ -z "$domain" ] || echo "search $domain"
        for server in $dns; do echo "nameserver $server"; done
    } > /etc/resolv.conf.new
    mv /etc/resolv.conf.new /etc/resolv.conf
    for gateway in $router; do
        ip -4 route add default via "$gateway" dev "$interface" && break
    done
    echo "$1" > /run/apus/network
    ;;
esac
