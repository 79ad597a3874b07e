// SPDX-License-Identifier: Apache-2.0

import Host
import Machines
import SystemPackage

extension VirtualMachine {
    /// The last lines that the guest wrote to a console in memory, without what would steer a terminal.
    public var consoleTail: [String] { devices.consoleTail }

    /// Tells the guest the size of the process's terminal, where a virtio console is on it. Called when it changes.
    public func terminalResized() {
        guard devices.hasTerminalConsole, let size = Terminal(.standardInput)?.size else { return }
        machine.resizeConsole(columns: size.columns, rows: size.rows)
    }

    /// Connects the escapes of a console on the terminal with this machine.
    func connectConsole() {
        devices.setActions(
            ConsoleRelay.Actions(
                quit: { [weak self] in self?.stop() },
                perform: { [weak self] command in
                    await self?.perform(command) ?? .failed("the machine is gone")
                }))
    }
}
