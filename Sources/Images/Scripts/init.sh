#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The first process of a micro image: mounts, modules, network, agent, a shell on the kernel's console.
#
# Words on the kernel's command line:
#   apus.net=off     leave the network alone
#   apus.shell=off   no shell on the console; the machine runs until it is told to power off

export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=linux
umask 022

mount -t proc -o nosuid,nodev,noexec proc /proc
mount -t sysfs -o nosuid,nodev,noexec sysfs /sys
mount -t devtmpfs -o nosuid,mode=0755 devtmpfs /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts -o nosuid,noexec,gid=5,mode=620,ptmxmode=666 devpts /dev/pts
mount -t tmpfs -o nosuid,nodev,mode=1777 tmpfs /dev/shm
mount -t tmpfs -o nosuid,nodev,mode=0755 tmpfs /run
mount -t tmpfs -o nosuid,nodev,mode=1777 tmpfs /tmp
mkdir -p /run/apus
ln -sf /proc/self/fd /dev/fd
ln -sf /proc/self/fd/0 /dev/stdin
ln -sf /proc/self/fd/1 /dev/stdout
ln -sf /proc/self/fd/2 /dev/stderr

read -r name < /etc/hostname
hostname "$name"

net=on shell=on
read -r line < /proc/cmdline
for word in $line; do
    case $word in
    apus.net=off) net=off ;;
    apus.shell=off) shell=off ;;
    esac
done

# A machine without a console would take the shell's end for the user's.
(: < /dev/console) 2> /dev/null || shell=off

# The transports first, then what the devices on it ask for by their modalias; each file system comes later by itself,
# when the kernel calls modprobe at the first mount.
modprobe -q virtio_mmio
modprobe -q virtio_pci
aliases=
for file in /sys/bus/virtio/devices/*/modalias; do
    [ -r "$file" ] || continue
    read -r alias < "$file"
    aliases="$aliases $alias"
done
# shellcheck disable=SC2086  # a list of words, without white space inside
[ -z "$aliases" ] || modprobe -q -a $aliases 2> /dev/null

# Nothing runs any more and everything that a disk holds is written before the power goes.
finish() {
    trap '' TERM USR1 USR2
    kill -TERM -1
    sleep 0.1
    kill -KILL -1
    sync
    umount -a -r 2> /dev/null
    "$1" -f
}
# What busybox's poweroff, halt and reboot send to the first process; `wait` below lets them in at once.
trap 'finish poweroff' USR2
trap 'finish halt' USR1
trap 'finish reboot' TERM

ip link set lo up
[ "$net" = off ] || [ ! -e /sys/class/net/eth0 ] || network-up eth0

serve() {
    while :; do
        apus-agent
        sleep 1
    done
}
serve < /dev/null > /dev/null 2>&1 &
last=$!

if [ "$shell" = on ]; then
    cat /etc/motd
    # cttyhack opens the terminal behind /dev/console, so that the shell has job control.
    setsid cttyhack sh -l < /dev/console > /dev/console 2>&1 &
    last=$!
fi
while kill -0 "$last" 2> /dev/null; do wait "$last"; done
finish poweroff
