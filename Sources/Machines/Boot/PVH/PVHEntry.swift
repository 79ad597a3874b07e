// SPDX-License-Identifier: Apache-2.0

extension ELFFile {
    /// The physical address where the program starts by the PVH protocol (xen, docs/misc/pvh.pandoc), or nil where it
    /// has no such note: the description of note 18, XEN_ELFNOTE_PHYS32_ENTRY, of owner "Xen".
    ///
    /// Notes are as gABI chapter 5, "Note Section" has them: three words (name size, description size, type), the name
    /// and the description, each padded to four bytes in both classes.
    public var pvhEntry: UInt64? {
        for range in notes {
            var offset = range.lowerBound
            while offset < range.upperBound, let note = note(at: offset, end: range.upperBound) {
                if note.type == 18, file.has(Array("Xen\0".utf8), at: note.name), note.nameSize == 4,
                    note.size >= 4
                {
                    return note.size >= 8
                        ? file.integer(UInt64.self, at: note.description)
                        : file.integer(UInt32.self, at: note.description).map(UInt64.init)
                }
                offset = note.end
            }
        }
        return nil
    }

    private struct Note {
        let type: UInt32
        let name: UInt64
        let nameSize: UInt64
        let description: UInt64
        let size: UInt64
        let end: UInt64
    }

    /// The note at `offset`, or nil where it does not lie before `end`.
    private func note(at offset: UInt64, end: UInt64) -> Note? {
        guard let nameSize = file.integer(UInt32.self, at: offset).map(UInt64.init),
            let size = file.integer(UInt32.self, at: offset + 4).map(UInt64.init),
            let type = file.integer(UInt32.self, at: offset + 8)
        else { return nil }
        let name = offset + 12
        let description = name + (nameSize + 3) & ~3
        let next = description + (size + 3) & ~3
        guard description + size <= end else { return nil }
        return Note(type: type, name: name, nameSize: nameSize, description: description, size: size, end: next)
    }
}
