// SPDX-License-Identifier: Apache-2.0

/// A program to load, by what its bytes say it is.
enum KernelImage: Sendable {
    case linux(LinuxImageHeader, [UInt8])
    case elf(ELFFile)
    /// Code without a header, which starts at its first byte.
    case raw([UInt8])

    /// Reads `bytes`. Without `acceptsRaw` a file that is neither an Image nor an ELF is refused.
    init(_ bytes: [UInt8], name: String, acceptsRaw: Bool) throws(MachineError) {
        guard !bytes.isEmpty else { throw .bootFile(name: name, reason: "is empty") }
        if ELFFile.recognises(bytes) {
            do {
                self = .elf(try ELFFile(bytes))
            } catch {
                throw .bootFile(name: name, reason: error.description)
            }
            return
        }
        do {
            self = .linux(try LinuxImageHeader(bytes), bytes)
        } catch .notImage where acceptsRaw {
            self = .raw(bytes)
        } catch {
            throw .bootFile(name: name, reason: error.description)
        }
    }
}
