// SPDX-License-Identifier: Apache-2.0

import SystemPackage

extension VirtualMachineConfiguration {
    /// The same machine with each path of the host's files as `change` makes it.
    func changingPaths(_ change: (String) -> String) -> VirtualMachineConfiguration {
        var changed = self
        changed.bootLoader = bootLoader.changingPaths(change)
        changed.storageDevices = storageDevices.map { device in
            var device = device
            device.path = change(device.path)
            return device
        }
        changed.serialPort = serialPort.map { SerialPort(attachment: $0.attachment.changingPaths(change)) }
        changed.consoleDevices = consoleDevices.map { ConsoleDevice(attachment: $0.attachment.changingPaths(change)) }
        if case .file(let path) = trace { changed.trace = .file(path: change(path)) }
        return changed
    }

    /// The same machine with relative paths taken from `folder`.
    func resolvingPaths(in folder: FilePath) -> VirtualMachineConfiguration {
        changingPaths { folder.pushing(FilePath($0)).string }
    }
}

extension BootLoader {
    fileprivate func changingPaths(_ change: (String) -> String) -> BootLoader {
        func changed(_ linux: LinuxBootLoader) -> LinuxBootLoader {
            LinuxBootLoader(
                kernel: change(linux.kernel), initialRamdisk: linux.initialRamdisk.map(change),
                commandLine: linux.commandLine)
        }
        switch self {
        case .linux(let linux): return .linux(changed(linux))
        case .firmware(let loader):
            return .firmware(FirmwareBootLoader(firmware: change(loader.firmware), kernel: loader.kernel.map(changed)))
        case .bare(let kernel): return .bare(kernel: change(kernel))
        }
    }
}

extension StreamEnd {
    fileprivate func changingPaths(_ change: (String) -> String) -> StreamEnd {
        switch self {
        case .file(let path): .file(path: change(path))
        case .unixSocket(let path): .unixSocket(path: change(path))
        case .standardStreams, .pseudoTerminal, .memory: self
        }
    }
}
