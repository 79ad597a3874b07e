// SPDX-License-Identifier: Apache-2.0

import Host
import SystemPackage

/// A guest that runs in a process of its own, as anybody of its user's sees it: not only the one who started it.
public struct Guest: Sendable {
    /// How long a guest's process may take to answer what needs no guest.
    static let answerTime = Duration.seconds(2)
    /// How long it may take to go once its machine is over.
    private static let leaveTime = Duration.seconds(10)

    /// What it was started with.
    public let record: GuestRecord
    let registry: GuestRegistry

    /// What people call it.
    public var title: String { record.title }

    /// Where it is controlled.
    public var controlSocket: String { registry.controlSocket(of: record.id).string }

    /// Whether its process still runs.
    public var isAlive: Bool { (try? registry.isAlive(record.id)) ?? false }

    // MARK: Control

    /// A connection to its process. One that does not answer in time is an error.
    public func connect() async throws(VirtualMachineError) -> ControlClient {
        let socket = controlSocket
        let answer = await firstWithin(Guest.answerTime) { () -> Result<ControlClient, VirtualMachineError>? in
            do throws(VirtualMachineError) {
                return .success(try await ControlClient(path: socket))
            } catch {
                return .failure(error)
            }
        }
        guard let answer else { throw silence }
        do {
            return try answer.get()
        } catch {
            guard isAlive else { throw VirtualMachineError(.state, "guest '\(title)' has just ended") }
            throw error
        }
    }

    private var silence: VirtualMachineError {
        VirtualMachineError(
            .host,
            "the process of guest '\(title)' (\(record.processID)) does not answer; end it with apus kill \(title)")
    }

    /// Carries out `command` there; what the machine refuses is thrown.
    public func perform(_ command: MachineCommand) async throws(VirtualMachineError) -> MachineReply {
        let reply = try await connect().perform(command)
        if case .failed(let sentence) = reply {
            throw VirtualMachineError(.state, "guest '\(title)': \(sentence)")
        }
        return reply
    }

    /// What its machine is and where it stands; nil where its process does not answer.
    public func status() async -> MachineStatus? {
        await firstWithin(Guest.answerTime) {
            guard case .status(let status)? = try? await perform(.status) else { return nil }
            return status
        }
    }

    /// Starts `command` in the guest, on this process's stdin, stdout and stderr.
    public func execute(_ command: GuestCommand) async throws(VirtualMachineError) -> GuestProcess {
        try await ControlClient.execute(path: controlSocket, command)
    }

    /// The guest's console, to be put on this process's stdin and stdout. With `replay` the last of what it wrote comes
    /// first.
    public func console(replay: Bool = true) async throws(VirtualMachineError) -> ControlConsole {
        try await ControlConsole(path: controlSocket, replay: replay)
    }

    // MARK: The end

    /// Asks the guest to switch itself off and waits for it; ends the machine where that takes longer than `timeout`.
    /// Throws at once where nobody in the guest can be asked.
    public func stop(timeout: Duration) async throws(VirtualMachineError) {
        let client = try await connect()
        let seconds = Int(max(0, timeout.components.seconds))
        if case .failed(let sentence) = try await client.perform(.stop(graceSeconds: seconds)) {
            throw VirtualMachineError(
                .guest, "guest '\(title)' cannot be asked to switch off: \(sentence); end it with apus kill \(title)")
        }
        if await hasGone(within: timeout + Guest.leaveTime) { return }
        try await kill()
    }

    /// Ends the guest without asking it, as pulling the plug does. A process that does not obey is killed.
    public func kill() async throws(VirtualMachineError) {
        let obeys = await firstWithin(Guest.answerTime) { try? await connect().perform(.quit) } != nil
        if obeys, await hasGone(within: Guest.leaveTime) { return }
        // Its lock is held, so it lives, and its number is its own.
        guard isAlive, HostProcess.startTime(of: record.processID) == record.processStart else { return }
        HostProcess.kill(record.processID)
        guard await hasGone(within: Guest.leaveTime) else {
            throw VirtualMachineError(
                .host, "process \(record.processID) of guest '\(title)' cannot be killed; the host holds it")
        }
    }

    /// Waits for the guest's end; nil where its process went without saying how.
    public func wait() async -> VirtualMachineEnd? {
        while isAlive {
            if let end = try? await connect().waitForEnd() {
                _ = await hasGone(within: Guest.leaveTime)
                return end
            }
            // It does not answer, or is just going.
            try? await Task.sleep(for: .milliseconds(100))
        }
        return nil
    }

    /// Waits until its process is gone; false where it is still there after `time`.
    func hasGone(within time: Duration) async -> Bool {
        let clock = ContinuousClock()
        let deadline = clock.now + time
        while isAlive {
            if clock.now > deadline { return false }
            try? await Task.sleep(for: .milliseconds(20))
        }
        return true
    }
}

/// What `work` answers, or nil where that takes longer than `time`; it is then told to stop, and not waited for.
func firstWithin<T: Sendable>(_ time: Duration, _ work: @escaping @Sendable () async -> T?) async -> T? {
    let (answers, continuation) = AsyncStream.makeStream(of: T?.self)
    let worker = Task { continuation.yield(await work()) }
    let timer = Task {
        try? await Task.sleep(for: time)
        continuation.yield(nil)
    }
    defer {
        worker.cancel()
        timer.cancel()
    }
    for await answer in answers { return answer }
    return nil
}
