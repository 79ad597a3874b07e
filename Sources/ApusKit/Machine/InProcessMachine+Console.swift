// SPDX-License-Identifier: Apache-2.0

import Host
import Machines
import SystemPackage

extension InProcessMachine {
    /// The last lines that the guest wrote to a console in memory, without what would steer a terminal.
    var lastLines: [String] { devices.consoleTail }

    /// Tells the guest the size of the terminal that a virtio console is on, where one is.
    func resizeConsole(columns: UInt16, rows: UInt16) {
        guard devices.hasTerminalConsole else { return }
        devices.queue.post { [machine] in machine.resizeConsole(columns: columns, rows: rows) }
    }

    /// Tells the guest the size of this process's terminal.
    func terminalResized() {
        guard let size = Terminal(.standardInput)?.size else { return }
        resizeConsole(columns: size.columns, rows: size.rows)
    }

    /// Connects the escapes of a console on the terminal with this machine.
    func connectConsole() {
        devices.setActions(
            ConsoleRelay.Actions(
                quit: { [weak self] in self?.stop(.caller) },
                perform: { [weak self] command in
                    await self?.perform(command) ?? .failed("the machine is gone")
                }))
    }
}
