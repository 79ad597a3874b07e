// SPDX-License-Identifier: Apache-2.0

import CHost
import Glibc
public import SystemPackage

extension ProcessorPool {
    /// Frees the pages of guests that were killed, in the pool of `folder`; without effect where there is none.
    public static func clearStale(in folder: FilePath) {
        let path = folder.appending(fileName)
        guard let file = try? Descriptor.open(path, .readWrite, options: .noFollow), isOurs(file.raw) else { return }
        try? withAllocation(of: file.raw, path) { () throws(HostError) in
            for seat in 0..<seats where !isTaken(seat, in: file.raw) { clear(seat, in: file.raw) }
        }
    }

    static func openFile(_ path: FilePath) throws(HostError) -> Descriptor {
        let file = try Descriptor.open(path, .readWrite, options: [.create, .noFollow])
        guard isOurs(file.raw) else {
            throw HostError(
                "'\(path)' is not a file of this user's alone", remedy: "remove it, or choose another runtime folder")
        }
        return file
    }

    /// A plain file that nobody else can write or cut: a mapping of one that gets shorter would fault.
    private static func isOurs(_ file: FileDescriptor) -> Bool {
        var status = stat()
        // SAFETY: fills the local.
        guard unsafe fstat(file.rawValue, &status) == 0 else { return false }
        return status.st_mode & S_IFMT == S_IFREG && status.st_uid == geteuid() && status.st_mode & 0o022 == 0
    }

    /// Runs `body` while no other process takes or frees a seat.
    static func withAllocation<T>(
        of file: FileDescriptor, _ path: FilePath, _ body: () throws(HostError) -> T
    ) throws(HostError) -> T {
        // Held for microseconds. The lock's end is the descriptor's, which may be a moment after its owner's.
        let deadline = MonotonicTime.after(milliseconds: 2000)
        while true {
            let result = chost_lock_byte(file.rawValue, 0, true)
            if result == 0 { break }
            guard result == -EAGAIN, MonotonicTime.now < deadline else {
                throw HostError("cannot lock '\(path)'", Errno(rawValue: -result))
            }
            usleep(1000)
        }
        defer { _ = chost_unlock_byte(file.rawValue, 0) }
        return try body()
    }

    static func prepare(_ file: FileDescriptor, _ path: FilePath) throws(HostError) {
        var status = stat()
        // SAFETY: fills the local.
        guard unsafe fstat(file.rawValue, &status) == 0 else { throw HostError("cannot read '\(path)'", .current) }
        let size = off_t((1 + seats) * page)
        guard status.st_size < size else { return }
        if case .failure(let error) = retryingInterrupts({ ftruncate(file.rawValue, size) }) {
            throw HostError("cannot make '\(path)'", error, remedy: "free space in its folder")
        }
    }

    /// The first free page, cleared, with `lock` holding it.
    static func takeSeat(_ file: FileDescriptor, _ lock: FileDescriptor) throws(HostError) -> Int {
        for seat in 0..<seats where !isTaken(seat, in: file) {
            clear(seat, in: file)
            guard chost_lock_byte(lock.rawValue, offset(of: seat), false) == 0 else { continue }
            return seat
        }
        throw HostError("all \(seats) places in the pool of processors are taken", remedy: "stop a guest")
    }

    private static func offset(of seat: Int) -> Int64 { Int64((1 + seat) * page) }

    private static func isTaken(_ seat: Int, in file: FileDescriptor) -> Bool {
        chost_byte_is_locked(file.rawValue, offset(of: seat)) > 0
    }

    /// Writes zeroes where a page of the file is not a hole.
    private static func clear(_ seat: Int, in file: FileDescriptor) {
        var state: UInt64 = 0
        // SAFETY: the local's eight bytes; then the array's.
        let count = unsafe withUnsafeMutableBytes(of: &state) {
            unsafe pread(file.rawValue, $0.baseAddress, 8, off_t(offset(of: seat)))
        }
        guard count == 8, state != 0 else { return }
        let zeroes = [UInt8](repeating: 0, count: page)
        unsafe _ = pwrite(file.rawValue, zeroes, zeroes.count, off_t(offset(of: seat)))
    }
}
