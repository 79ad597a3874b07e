// SPDX-License-Identifier: Apache-2.0

import CHost
import Glibc
public import SystemPackage

/// The terminal that a descriptor is connected to.
public struct Terminal: Sendable {
    /// A terminal's size in characters.
    public struct Size: Equatable, Sendable {
        public var columns: UInt16
        public var rows: UInt16

        public init(columns: UInt16, rows: UInt16) {
            self.columns = columns
            self.rows = rows
        }
    }

    /// The descriptor; not owned.
    public let descriptor: FileDescriptor

    /// The terminal of `descriptor`, or nil where it is something else.
    public init?(_ descriptor: FileDescriptor) {
        guard isatty(descriptor.rawValue) == 1 else { return nil }
        self.descriptor = descriptor
    }

    /// Its size now; nil where the terminal does not know it.
    public var size: Size? {
        var size = winsize()
        // SAFETY: fills the local.
        guard unsafe ioctl(descriptor.rawValue, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0
        else { return nil }
        return Size(columns: size.ws_col, rows: size.ws_row)
    }

    /// Sets the size; who runs in the terminal gets SIGWINCH.
    public func setSize(_ size: Size) throws(HostError) {
        var value = winsize(ws_row: size.rows, ws_col: size.columns, ws_xpixel: 0, ws_ypixel: 0)
        // SAFETY: reads the local.
        guard unsafe ioctl(descriptor.rawValue, UInt(TIOCSWINSZ), &value) == 0 else {
            throw HostError("cannot set the size of the terminal", .current)
        }
    }

    /// Raw mode: each key goes to the guest as it is, control characters too. It ends with `leave()`, and also when the
    /// process exits or dies by a signal, while it is stopped, or when this is let go of. One terminal at a time.
    @safe
    public struct RawMode: ~Copyable, Sendable {
        fileprivate init(_ terminal: Terminal) throws(HostError) {
            let number = terminal.descriptor.rawValue
            var cooked = termios()
            // SAFETY: fills and reads locals.
            guard unsafe tcgetattr(number, &cooked) == 0 else {
                throw HostError("cannot read the settings of the terminal", .current)
            }
            var raw = cooked
            unsafe cfmakeraw(&raw)
            // Output stays processed where the guest does it itself: nothing is added to what it prints.
            let error = unsafe chost_terminal_enter(number, &cooked, &raw)
            guard error == 0 else {
                throw HostError("cannot put the terminal into raw mode", Errno(rawValue: error))
            }
        }

        /// Gives the terminal its settings back.
        public consuming func leave() {}

        deinit { chost_terminal_leave() }
    }

    /// Puts the terminal into raw mode.
    public func enterRawMode() throws(HostError) -> RawMode { try RawMode(self) }

    /// Gives the terminal its settings back now, whoever put it into raw mode; harmless where nobody did. For an exit
    /// that runs no destructors.
    public static func restore() { chost_terminal_leave() }
}

/// A pseudoterminal: a terminal whose user is this process.
@frozen
public struct PseudoTerminal: ~Copyable, Sendable {
    /// This process's end.
    public let controller: Descriptor
    /// The terminal's end, kept open so that the first user's leaving is no hang-up.
    public let terminal: Descriptor
    /// Where others open the terminal: `/dev/pts/N`.
    public let path: FilePath

    /// Makes one, raw from the start, so that what a guest prints does not echo back to it.
    public init() throws(HostError) {
        var ends: (CInt, CInt) = (-1, -1)
        var settings = termios()
        // SAFETY: fills locals; the name is not asked for, as its length would be unknown.
        unsafe cfmakeraw(&settings)
        settings.c_cflag |= tcflag_t(CREAD)
        guard unsafe openpty(&ends.0, &ends.1, nil, &settings, nil) == 0 else {
            throw HostError("cannot make a pseudoterminal", .current, remedy: "mount devpts on /dev/pts")
        }
        _ = fcntl(ends.0, F_SETFD, FD_CLOEXEC)
        _ = fcntl(ends.1, F_SETFD, FD_CLOEXEC)
        let pair = DescriptorPair(ends)
        path = try Self.name(of: ends.1)
        controller = pair.first
        terminal = pair.second
    }

    private static func name(of terminal: CInt) throws(HostError) -> FilePath {
        var name = [CChar](repeating: 0, count: 128)
        // SAFETY: the array's own storage and size.
        let error = unsafe ttyname_r(terminal, &name, name.count)
        guard error == 0 else { throw HostError("cannot name a pseudoterminal", Errno(rawValue: error)) }
        return FilePath(String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
    }
}
