// SPDX-License-Identifier: Apache-2.0

extension Processor {
    /// The linear address of `count` bytes at `offset` in `segment`, or nil when the segment refuses them with #GP(0), or
    /// #SS(0) for SS (Intel SDM Vol 3A §6.3, §6.5). In 64-bit mode only the bases of FS and GS count.
    func linear(_ segment: Segment, _ offset: UInt64, count: UInt64, writes: Bool) -> UInt64? {
        if state.pointee.is64Bit {
            return segment == .fs || segment == .gs
                ? offset &+ state.pointee.segments[Int(segment.rawValue)].base : offset
        }
        let register = state.pointee.segments[Int(segment.rawValue)]
        let fault = segment == .ss ? Fault.stackFault : .generalProtection
        guard !register.rights.contains(.unusable) else { return refuse(fault) }
        if register.rights.contains(.code) {
            // Code can be read if it says so, and never written (outside of real mode, whose CS is a data segment).
            guard !writes, register.rights.contains(.writable) else { return refuse(fault) }
        } else if writes {
            guard register.rights.contains(.writable) else { return refuse(fault) }
        }
        let last = offset &+ (count &- 1)
        let limit = UInt64(register.limit)
        if register.rights.contains(.code) || !register.rights.contains(.expandsDown) {
            guard last <= limit, offset <= last else { return refuse(fault) }
        } else {
            let top: UInt64 = register.rights.contains(.big) ? 0xffff_ffff : 0xffff
            guard offset > limit, last <= top, offset <= last else { return refuse(fault) }
        }
        return (offset &+ register.base) & 0xffff_ffff
    }
}
