// SPDX-License-Identifier: Apache-2.0

import VMMemory

/// Physical memory protection: 16 entries of 4 byte granularity (RISC-V Priv 1.13 §3.7).
extension Hart {
    private func pmpConfig(_ index: Int) -> UInt64 {
        state.pointee.pmpcfg[index / 8] >> UInt64(index % 8 * 8) & 0xff
    }

    /// The first and the last byte that entry `index` matches, or nil if it is off or matches none.
    private func pmpRange(_ index: Int) -> (first: UInt64, last: UInt64)? {
        let address = state.pointee.pmpaddr[index]
        switch pmpConfig(index) >> 3 & 3 {
        case 1:  // TOR: from the address of the entry before.
            let low = index == 0 ? 0 : state.pointee.pmpaddr[index - 1]
            return low < address ? (low << 2, (address << 2) - 1) : nil
        case 2:  // NA4.
            return (address << 2, address << 2 | 3)
        case 3:  // NAPOT: the trailing ones give the size.
            let ones = UInt64((~address).trailingZeroBitCount)
            let mask: UInt64 = ones >= 54 ? (1 << 56) - 1 : (8 << ones) - 1
            let first = (address << 2) & ~mask & ((1 << 56) - 1)
            return (first, first | mask)
        default:
            return nil
        }
    }

    /// Whether PMP allows an access to all of `count` bytes at `physical`. The lowest entry that matches any byte
    /// decides, and must match them all (§3.7.1.2, §3.7.1.3).
    @inline(__always)
    func allows(_ physical: UInt64, count: UInt64, _ kind: AccessKind, privilege: UInt64) -> Bool {
        isOpen(physical, privilege: privilege)
            || allowedByEntries(physical, count: count, kind, privilege: privilege)
    }

    /// Whether `physical` lies where every access of up to 8 bytes by `privilege` is allowed.
    @inline(__always)
    private func isOpen(_ physical: UInt64, privilege: UInt64) -> Bool {
        privilege == 3
            ? physical &- state.pointee.openFromMachine <= state.pointee.openSpanMachine
            : physical &- state.pointee.openFrom <= state.pointee.openSpan
    }

    @inline(never)
    private func allowedByEntries(_ physical: UInt64, count: UInt64, _ kind: AccessKind, privilege: UInt64) -> Bool {
        let last = physical &+ (count &- 1)
        for index in 0..<16 {
            guard let range = pmpRange(index), physical <= range.last, last >= range.first else { continue }
            guard physical >= range.first, last <= range.last else { return false }
            let config = pmpConfig(index)
            if privilege == 3 && config & 0x80 == 0 { return true }
            let bit: UInt64 = kind == .load ? 1 : kind == .store ? 2 : 4
            return config & bit != 0
        }
        return privilege == 3
    }

    /// Whether every byte of the page around `physical` has the same answer from PMP, so that it may be cached.
    @inline(__always)
    func pmpIsUniform(page physical: UInt64) -> Bool {
        let first = physical & ~GuestPage.offsetMask
        let last = first | GuestPage.offsetMask
        return isOpen(first, privilege: 1) && isOpen(last, privilege: 1) && isOpen(first, privilege: 3)
            && isOpen(last, privilege: 3) || entriesAreUniform(page: first)
    }

    @inline(never)
    private func entriesAreUniform(page first: UInt64) -> Bool {
        let last = first | GuestPage.offsetMask
        for index in 0..<16 {
            guard let range = pmpRange(index), first <= range.last, last >= range.first else { continue }
            return range.first <= first && range.last >= last
        }
        return true
    }

    /// Works out where no entry has to be asked: past all entries before the first that opens everything beyond them,
    /// as firmware protects itself at the bottom of RAM and opens the rest.
    func pmpChanged() {
        state.pointee.openFrom = .max
        state.pointee.openSpan = 0
        // Without a locked entry, and with none that an access could match in part, M-mode may do everything.
        state.pointee.openFromMachine = 0
        state.pointee.openSpanMachine = .max
        var past: UInt64 = 0
        for index in 0..<16 {
            guard let range = pmpRange(index) else { continue }
            if pmpConfig(index) & 7 == 7 && range.first <= past && range.last > past &+ 8 {
                // An access of 8 bytes at the span's last address is still within.
                state.pointee.openFrom = past
                state.pointee.openSpan = range.last - past - 8
                state.pointee.openFromMachine = past
                state.pointee.openSpanMachine = state.pointee.openSpan
                return
            }
            past = max(past, range.last &+ 1)
        }
        guard past > 0 else { return }
        state.pointee.openFromMachine = past
        state.pointee.openSpanMachine = .max - past - 8
    }

    func writePMP(_ number: Int, _ value: UInt64) -> CSREffect {
        if number == CSR.pmpcfg0 || number == CSR.pmpcfg2 {
            let half = (number - CSR.pmpcfg0) / 2
            var result: UInt64 = 0
            for entry in 0..<8 {
                let shift = UInt64(entry * 8)
                let old = state.pointee.pmpcfg[half] >> shift & 0xff
                let new = value >> shift & 0x9f
                // A locked entry stays until reset; W without R is reserved and leaves it as it was.
                result |= (old & 0x80 != 0 || new & 3 == 2 ? old : new) << shift
            }
            state.pointee.pmpcfg[half] = result
        } else {
            let index = number - CSR.pmpaddr0
            let locked = pmpConfig(index) & 0x80 != 0
            // A locked TOR entry locks the address below it too (§3.7.1).
            let lockedAbove = index < 15 && pmpConfig(index + 1) & 0x98 == 0x88
            if !locked && !lockedAbove { state.pointee.pmpaddr[index] = value & ((1 << 54) - 1) }
        }
        pmpChanged()
        tlb.flush()
        return .context
    }
}
