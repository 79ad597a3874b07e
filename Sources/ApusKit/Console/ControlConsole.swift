// SPDX-License-Identifier: Apache-2.0

import Host
import MachineCore
import Synchronization
import SystemPackage

/// The console of a machine in another process, on this process's stdin and stdout. Any number may look at it at once,
/// and whoever looks may type.
public final class ControlConsole: Sendable {
    /// Why a console was left.
    public enum Ending: Equatable, Sendable {
        /// The user detached: the machine goes on.
        case detached
        /// The machine is over, or its process is gone.
        case ended
    }

    private struct State {
        var ending: Ending?
        var waiter: CheckedContinuation<Ending, Never>?
    }

    private let client: ControlClient
    private let loop: EventLoop
    private let link: ControlLink
    private let local: OpenStream
    private let state = Mutex(State())

    /// Connects to the machine that is controlled at `path`. With `replay` the last of what the guest wrote comes first.
    public init(path: String, replay: Bool = true) async throws(VirtualMachineError) {
        client = try await ControlClient(path: path)
        let (loop, link) = try ControlClient.connect(path)
        do throws(VirtualMachineError) {
            _ = try await link.greet()
            guard try await link.ask(.attach(replay: replay)) == .attached else {
                throw .misunderstood
            }
            do throws(HostError) {
                local = try OpenStream(.standardStreams, loop: loop)
            } catch {
                throw VirtualMachineError(error)
            }
        } catch {
            link.close()
            loop.stop()
            throw error
        }
        self.loop = loop
        self.link = link
    }

    deinit {
        link.close()
        loop.stop()
    }

    /// Passes bytes on until the user detaches (`Ctrl-A D`) or the machine is over. A terminal is raw meanwhile.
    public func run() async throws(VirtualMachineError) -> Ending {
        local.relay?.setActions(
            ConsoleRelay.Actions(
                quit: { [client] in Task { _ = try? await client.perform(.quit) } },
                perform: { [client] command in
                    do throws(VirtualMachineError) {
                        return try await client.perform(command)
                    } catch {
                        return .failed(error.description)
                    }
                }, detach: { [weak self] in self?.end(.detached) }))
        do throws(HostError) {
            try local.start()
        } catch {
            throw VirtualMachineError(error)
        }
        link.whenRoom { [local] in local.backend.resume() }
        local.connect({ [link] bytes in link.write(bytes) }, { [link] in link.resume() })
        link.take { [local] bytes in
            local.backend.send(bytes)
        } gone: { [weak self] in
            self?.end(.ended)
        }
        let ending = await withCheckedContinuation { continuation in
            let known = state.withLock { state in
                if state.ending == nil { state.waiter = continuation }
                return state.ending
            }
            if let known { continuation.resume(returning: known) }
        }
        link.close()
        // What came last is shown; who stopped the terminal is not waited for.
        local.hurry()
        await HostThread.run("end") { [local] in local.close() }
        return ending
    }

    /// Tells the guest the size of this process's terminal, where a virtio console is on it. Called when it changes.
    public func terminalResized() {
        guard let size = Terminal(.standardInput)?.size else { return }
        Task { [client] in await client.resize(columns: size.columns, rows: size.rows) }
    }

    private func end(_ ending: Ending) {
        let waiter = state.withLock { state in
            state.ending = state.ending ?? ending
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume(returning: ending)
    }
}
