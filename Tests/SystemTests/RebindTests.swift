// SPDX-License-Identifier: Apache-2.0

import Foundation
import ProgramSupport
import Testing

extension DebianTests {
    @Suite(
        "Drivers that let go of their devices and take them again",
        .enabled(if: ExtendedDisk.areToolsThere, "e2fsprogs is not installed"))
    struct RebindTests {
        /// For the guest's shell: `rebind DRIVER ROUNDS LOAD` starts the load and takes the driver's device away in it.
        private static let functions = [
            "device() { basename $(ls -d /sys/bus/virtio/drivers/$1/virtio*); }",
            "away() { echo $2 >/sys/bus/virtio/drivers/$1/unbind; sleep 0.1; echo $2 >/sys/bus/virtio/drivers/$1/bind; }",
            "round() { eval \"$3\" & sleep 0.5; away $1 $2; sleep 0.1; kill $! 2>/dev/null; wait $!; }",
            "rebind() { d=$(device $1); for i in $(seq $2); do round $1 $d \"$3\" 2>/dev/null; done; }",
        ]

        /// Large frames both ways, as fast as the answers come. A device that is new has no address.
        private static let traffic =
            "ip link set eth0 up; ip addr add 10.0.2.15/24 dev eth0; exec ping -A -s 8000 10.0.2.2 >/dev/null"

        @Test(
            "under load nothing hangs, what was flushed is on the disk, and each device works again",
            arguments: ["pci", "mmio"])
        func rebind(_ transport: String) throws {
            let rounds = Surroundings.isLong ? 10 : 2
            let disk = try ExtendedDisk(megabytes: 64)
            let guest = try ApusConsole([
                "run", "debian-micro", "--virtio", transport, "--net", "user", "--disk", disk.path, "--stats",
            ])
            try guest.expect(":/# ")
            _ = try Self.functions.map { try guest.shell($0) }
            let kept = try guest.shell(
                "mount /dev/vda /mnt && head -c 4m /dev/urandom >/mnt/a && sync; umount /mnt && echo is$((0))kept")
            _ = try guest.shell("rebind virtio_blk \(rounds) 'cat /dev/vd? >/dev/null'")
            // A disk that somebody still held when it went away comes back under another letter.
            let disks = try guest.shell("mount $(ls /dev/vd? | tail -n 1) /mnt; sha256sum </mnt/a; umount /mnt")
            _ = try guest.shell("rebind virtio_net \(rounds) '\(Self.traffic)'")
            // The address is asked for in the background.
            _ = try guest.shell(
                "network-up eth0; for i in $(seq 100); do ip -4 addr show eth0 | grep -q inet && break; sleep 0.1; done"
            )
            let network = try guest.shell("ip -4 -o addr show eth0; ping -c 1 -W 5 10.0.2.2")
            _ = try guest.shell("rebind virtio_rng \(rounds) 'dd if=/dev/hwrng of=/dev/null bs=512'")
            let random = try guest.shell("echo random=$(timeout 20 head -c 64 /dev/hwrng | wc -c)")
            _ = try guest.shell("rebind virtio_console \(rounds) true; sleep 3")
            // The agent behind the console's port is asked to switch off, which only one that is heard does.
            guest.raise(SIGTERM)

            try guest.expect("reboot: Power down")
            #expect(try guest.end() == 128 + SIGTERM)
            #expect(kept.contains("is0kept"))
            #expect(disks.contains(try disk.sha256("a")))
            #expect(network.contains("inet 10.0.2.15/24"))
            #expect(network.contains(" 0% packet loss"))
            #expect(random.contains("random=64"))
            #expect(try disk.damage() == "")
            // It was a load.
            #expect(Self.counter("virtio-blk0 bytes-to-guest", in: guest.errors) > 100_000)
            // One large frame a round at the least: on a busy host there is time for no more.
            #expect(Self.counter("virtio-net0 bytes-from-guest", in: guest.errors) > 5000 * rounds)
        }

        /// A counter of `--stats`.
        private static func counter(_ name: String, in text: String) -> Int {
            let line = text.split(separator: "\n").first { $0.hasPrefix(name) } ?? ""
            return Int(line.dropFirst(name.count).filter(\.isNumber)) ?? 0
        }
    }
}
