// SPDX-License-Identifier: Apache-2.0

import Host

/// A program to load, by what its bytes say it is.
enum KernelImage: Sendable {
    case linux(LinuxImageHeader, BootContent)
    case elf(ELFFile, BootContent)
    /// Code without a header, which starts at its first byte.
    case raw(BootContent)

    /// Reads the headers of `content`. Without `acceptsRaw` a file that is neither an Image nor an ELF is refused.
    init(_ content: BootContent, name: String, acceptsRaw: Bool) throws(MachineError) {
        guard content.count > 0 else { throw .bootFile(name: name, reason: "is empty") }
        let head = try KernelImage.head(of: content, LinuxImageHeader.size, name)
        if ELFFile.recognises(head) {
            // All of it, for its symbols; afterwards its parts are read where they go.
            let whole = try KernelImage.head(of: content, .max, name)
            do {
                self = .elf(try ELFFile(whole), content)
            } catch {
                throw .bootFile(name: name, reason: error.description)
            }
            return
        }
        do {
            self = .linux(try LinuxImageHeader(head, fileSize: content.count), content)
        } catch .notImage where acceptsRaw {
            self = .raw(content)
        } catch {
            throw .bootFile(name: name, reason: error.description)
        }
    }

    private static func head(
        of content: BootContent, _ most: UInt64, _ name: String
    ) throws(MachineError) -> [UInt8] {
        do {
            return try content.head(most)
        } catch {
            throw .bootFile(name: name, reason: "cannot be read: \(error.description)")
        }
    }
}
