// SPDX-License-Identifier: Apache-2.0

/// The content of a micro image: busybox, modules, the agent and our scripts, all in memory.
struct MicroImage {
    let name: String
    let busybox: [UInt8]
    let agent: [UInt8]
    let modules: KernelModules

    /// Without these a machine has no disk and no network. The transport on PCI and the console are built into
    /// Debian's kernels; elsewhere they are modules, and then these bring them too.
    private static let requiredModules = [
        "virtio_mmio", "virtio_pci", "virtio_console", "virtio_net", "virtio_blk", "ext4",
    ]

    /// crc32c is what ext4's checksums ask the kernel's cryptography for by name.
    private static let optionalModules = ["virtio_rng", "virtio_balloon", "crc32c_generic"]

    private static let requiredCommands = [
        "cat", "cttyhack", "hostname", "ip", "kill", "ln", "mkdir", "modprobe", "mount", "mv", "poweroff", "rm",
        "setsid", "sh", "sleep", "sync", "udhcpc", "umount", "wget",
    ]

    /// The archive that the kernel unpacks.
    func initramfs() throws(ImageError) -> Initramfs {
        var archive = Initramfs()
        archive.addConsole()
        for folder in [
            "etc", "mnt", "proc", "run", "sys", "usr", "usr/bin", "usr/lib", "usr/sbin", "usr/share",
            "usr/share/udhcpc", "var",
        ] { archive.addFolder(folder) }
        archive.addFolder("root", permissions: 0o700)
        archive.addFolder("tmp", permissions: 0o1777)
        archive.addLink("bin", to: "usr/bin")
        archive.addLink("sbin", to: "usr/sbin")
        archive.addLink("lib", to: "usr/lib")
        archive.addLink("var/run", to: "/run")
        try addPrograms(to: &archive)
        addSettings(to: &archive)
        let resolved = try modules.resolve(required: Self.requiredModules, optional: Self.optionalModules)
        modules.add(resolved, to: &archive)
        return archive
    }

    private func addPrograms(to archive: inout Initramfs) throws(ImageError) {
        archive.add("init", permissions: 0o755, .bytes(PackageResources.init_sh))
        archive.add("usr/sbin/network-up", permissions: 0o755, .bytes(PackageResources.network_up_sh))
        archive.add("usr/share/udhcpc/script", permissions: 0o755, .bytes(PackageResources.udhcpc_sh))
        archive.add("usr/sbin/apus-agent", permissions: 0o755, .bytes(agent))
        archive.add("usr/bin/busybox", permissions: 0o755, .bytes(busybox))
        let applets = try BusyboxApplets(program: busybox, required: Self.requiredCommands)
        for applet in applets.names where applet != "busybox" { archive.addLink("usr/bin/\(applet)", to: "busybox") }
        // Where the kernel itself looks for it.
        archive.addLink("usr/sbin/modprobe", to: "../bin/busybox")
    }

    private func addSettings(to archive: inout Initramfs) {
        archive.add("etc/profile", permissions: 0o644, .bytes(PackageResources.profile_sh))
        archive.addText("etc/hostname", "\(name)\n")
        archive.addText("etc/hosts", "127.0.0.1 localhost\n::1 localhost\n127.0.1.1 \(name)\n")
        archive.addText("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n")
        // mount without -t tries these, and the kernel then asks modprobe for the module.
        archive.addText("etc/filesystems", "ext4\n")
        archive.addText("etc/group", "root:x:0:\ntty:x:5:\n")
        archive.addText(
            "etc/motd", "\(name): Debian's kernel \(modules.version) and busybox, all in memory; `exit` powers off.\n")
    }
}
