// SPDX-License-Identifier: Apache-2.0

/// What is behind the face of a `VirtualMachine`: a machine in this process, or the way to one in another.
protocol MachineBody: AnyObject, Sendable {
    var engine: Engine { get }
    var state: VirtualMachine.State { get }
    var events: AsyncStream<VirtualMachine.Event> { get }
    var end: VirtualMachineEnd? { get }
    /// Where a debugger may connect, once started.
    var debugPort: UInt16? { get }
    /// What confines the machine's process, in a few words.
    var sandbox: String { get }
    func start() async throws(VirtualMachineError)
    func perform(_ command: MachineCommand) async -> MachineReply
    func stop(_ cause: StopCause)
    func requestStop(_ cause: StopCause, grace: Duration) async
    func wait() async -> VirtualMachineEnd
    /// Waits until the guest's agent answers; false where it has not by then.
    func awaitAgent(_ timeout: Duration) async -> Bool
    /// A command in the guest on this process's streams.
    func prepare(_ command: GuestCommand) async throws(VirtualMachineError) -> GuestProcess
    func consoleTail() async -> [String]
    func terminalResized()
}

extension InProcessMachine {
    var sandbox: String { "no sandbox, in a process with others" }

    func awaitAgent(_ timeout: Duration) async -> Bool { await agent?.waitUntilReady(timeout: timeout) ?? false }

    func consoleTail() async -> [String] { lastLines }

    func prepare(_ command: GuestCommand) async throws(VirtualMachineError) -> GuestProcess {
        guard let agent else {
            throw VirtualMachineError(
                .configuration, "this machine has no port for an agent; use an image that has one")
        }
        return GuestProcess(command, GuestExecution(channel: AgentExecutionChannel(agent), loop: devices.loop))
    }
}
