// SPDX-License-Identifier: Apache-2.0

import CHost
import Glibc
import Synchronization
import SystemPackage

/// A plain thread of the host with a name and a stack of its own size. It is joined once; a thread that is let go
/// without being joined runs on by itself.
@safe
public final class HostThread: Sendable {
    private struct State {
        var handle: pthread_t?
    }

    fileprivate final class Body: Sendable {
        let name: String
        let role: ThreadRole
        let run: @Sendable () -> Void
        init(name: String, role: ThreadRole, run: @escaping @Sendable () -> Void) {
            self.name = name
            self.role = role
            self.run = run
        }
    }

    private let state: Mutex<State>
    /// The thread's name, as `top -H` shows its first 15 bytes.
    public let name: String

    /// Starts `body` on a new thread. All signals are blocked in it but those that a fault of its own raises: the
    /// process's signals go to the thread that started it, or to a `SignalSource`. `role` says what it may do where the
    /// process is confined, or will be.
    public init(
        name: String, role: ThreadRole = .service, stackSize: Int = 1 << 20, body: @escaping @Sendable () -> Void
    ) throws(HostError) {
        self.name = name
        state = Mutex(State(handle: try Self.create(stackSize, Body(name: name, role: role, run: body))))
    }

    private static func create(_ stackSize: Int, _ body: Body) throws(HostError) -> pthread_t {
        // SAFETY: the attributes live from init to destroy; the body is retained until the thread takes it over; the
        // signal mask is put back.
        var attributes = pthread_attr_t()
        unsafe pthread_attr_init(&attributes)
        unsafe pthread_attr_setstacksize(&attributes, (max(stackSize, 64 << 10) + 4095) & ~4095)
        let start = unsafe Unmanaged.passRetained(body)
        var handle = pthread_t()
        let mask = SignalMask.blockAll()
        let error = unsafe pthread_create(&handle, &attributes, enterHostThread, start.toOpaque())
        mask.restore()
        unsafe pthread_attr_destroy(&attributes)
        guard error == 0 else {
            unsafe start.release()
            throw HostError(
                "cannot start the thread '\(body.name)'", Errno(rawValue: error),
                remedy: "raise the limit on processes (ulimit -u) or use fewer CPUs")
        }
        return handle
    }

    /// Does `work`, which may wait, on a thread of its own, or on the caller's where the host has none to give.
    public static func run<T: Sendable>(_ name: String, _ work: @escaping @Sendable () -> T) async -> T {
        await withCheckedContinuation { continuation in
            do throws(HostError) {
                _ = try HostThread(name: name) { continuation.resume(returning: work()) }
            } catch {
                continuation.resume(returning: work())
            }
        }
    }

    /// Waits until the thread's body has returned. Once, and not on the thread itself.
    public func join() {
        let handle = state.withLock { state in
            defer { state.handle = nil }
            return state.handle
        }
        guard let handle else { return }
        precondition(pthread_equal(handle, pthread_self()) == 0, "a thread does not join itself")
        // The handle was taken out under the lock, so it is joined once.
        pthread_join(handle, nil)
    }

    deinit {
        let handle = state.withLock { $0.handle }
        if let handle { pthread_detach(handle) }
    }
}

/// Where a new thread begins; `argument` is its retained body.
private func enterHostThread(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let argument = unsafe argument else { return nil }
    // SAFETY: what `create` retained for this thread, taken over once.
    let body = unsafe Unmanaged<HostThread.Body>.fromOpaque(argument).takeRetainedValue()
    // SAFETY: a NUL-terminated string for the call.
    unsafe body.name.withCString { unsafe chost_thread_name($0) }
    let error = chost_thread_begins(body.role.native)
    precondition(error == 0, "a thread of a confined process gets its filter")
    SandboxProbe.note(body.name)
    body.run()
    SandboxProbe.note(nil)
    return nil
}
