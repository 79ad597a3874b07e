// SPDX-License-Identifier: Apache-2.0

import Host

/// A kernel for the x86-64 machine, by what its bytes say it is.
enum PCKernelImage: Sendable {
    case bzImage(BzImageHeader, BootContent)
    /// An ELF program and where it starts by PVH.
    case pvh(ELFFile, entry: UInt64, BootContent)
    /// An ELF program with a Multiboot header.
    case multibootELF(MultibootHeader, ELFFile, BootContent)
    /// A flat file that says itself where it goes.
    case multiboot(MultibootHeader, MultibootHeader.Addresses, BootContent)

    /// Reads the headers of `content`. A Multiboot header counts before all else, as for other loaders: its author put
    /// it there to be found.
    init(_ content: BootContent, name: String) throws(MachineError) {
        guard content.count > 0 else { throw .bootFile(name: name, reason: "is empty") }
        do {
            let head = try content.head(MultibootHeader.searched)
            let isELF = ELFFile.recognises(head)
            let multiboot = try MultibootHeader(head, fileSize: content.count)
            if let multiboot, let addresses = multiboot.addresses {
                self = .multiboot(multiboot, addresses, content)
            } else if isELF {
                let file = try ELFFile(try content.head(), for: .pc)
                if let multiboot {
                    self = .multibootELF(multiboot, file, content)
                } else if let entry = file.pvhEntry {
                    self = .pvh(file, entry: entry, content)
                } else {
                    throw MachineError.bootFile(
                        name: name,
                        reason: "is an ELF program with neither a PVH note nor a Multiboot header, which say how it is "
                            + "entered: give a bzImage, or a kernel that was built with CONFIG_PVH")
                }
            } else if multiboot != nil, !BzImageHeader.recognises(head) {
                throw MachineError.bootFile(
                    name: name, reason: "has a Multiboot header without addresses, and is no ELF program")
            } else {
                self = .bzImage(try BzImageHeader(head, fileSize: content.count), content)
            }
        } catch let error as MachineError {
            throw error
        } catch let error as HostError {
            throw .bootFile(name: name, reason: "cannot be read: \(error.description)")
        } catch {
            throw .bootFile(name: name, reason: "\(error)")
        }
    }
}
