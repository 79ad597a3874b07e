// SPDX-License-Identifier: Apache-2.0

// Instructions that look at a mask before they look at memory.
extension Processor {
    /// The element of `bytes` bytes at `index` of a pair of lanes.
    private func element(_ pair: LanePair, _ index: Int, _ bytes: Int) -> UInt64 {
        let perLane = 16 / bytes
        return (index < perLane ? pair.lower : pair.upper).element(bytes: bytes, at: index % perLane)
    }

    private func set(_ pair: inout LanePair, _ index: Int, _ bytes: Int, _ value: UInt64) {
        let perLane = 16 / bytes
        if index < perLane {
            pair.lower = pair.lower.inserting(value, bytes: bytes, at: index)
        } else {
            pair.upper = pair.upper.inserting(value, bytes: bytes, at: index - perLane)
        }
    }

    private func isSet(_ mask: LanePair, _ index: Int, _ bytes: Int) -> Bool {
        element(mask, index, bytes) >> UInt64(8 * bytes - 1) != 0
    }

    /// VMASKMOVPS and its kin from memory: elements whose mask is clear are zero and not accessed.
    func loadMasked(_ op: MicroOp, bytes: Int) -> Outcome {
        let mask = vector(op.attributes.vvvv)
        let count = Int(vectorBytes(op)) / bytes
        guard let address = address(op, count: vectorBytes(op)) else { return .fault }
        var result = LanePair()
        for index in 0..<count where isSet(mask, index, bytes) {
            let place = wrapped(address &+ UInt64(index * bytes))
            guard let value = load(pair: place, bytes: UInt64(bytes), stack: op.segment.isStack) else { return .fault }
            set(&result, index, bytes, value.lower.low)
        }
        setVector(op.a, result, op)
        return .next
    }

    /// VMASKMOVPS and its kin to memory.
    func storeMasked(_ op: MicroOp, bytes: Int) -> Outcome {
        let mask = vector(op.attributes.vvvv)
        let source = vector(op.a)
        let count = Int(vectorBytes(op)) / bytes
        guard let address = address(op, count: vectorBytes(op), writes: true) else { return .fault }
        // Every page that will be written is asked before the first store.
        for index in 0..<count where isSet(mask, index, bytes) {
            let place = wrapped(address &+ UInt64(index * bytes))
            guard (place ^ address) >> 12 == 0 || translate(place, .write) != nil else { return .fault }
        }
        for index in 0..<count where isSet(mask, index, bytes) {
            let place = wrapped(address &+ UInt64(index * bytes))
            let value = LanePair(Lane(low: element(source, index, bytes)))
            guard store(value, at: place, bytes: UInt64(bytes), stack: op.segment.isStack) else { return .fault }
        }
        return .next
    }

    /// MASKMOVDQU and MASKMOVQ: bytes whose mask's top bit is set, to the memory at rDI.
    func storeBytes(_ op: MicroOp, _ value: Lane, mask: Lane, count: Int) -> Outcome {
        let offset = state.r64(7) & op.attributes.addressWidth.mask
        guard let address = address(op, offset: offset, count: UInt64(count), writes: true) else { return .fault }
        let (bytes, chosen) = (value.elements(Lane.Bytes.self), mask.elements(Lane.Bytes.self))
        for index in 0..<count where chosen[index] & 0x80 != 0 {
            let place = wrapped(address &+ UInt64(index))
            guard (place ^ address) >> 12 == 0 || translate(place, .write) != nil else { return .fault }
        }
        for index in 0..<count where chosen[index] & 0x80 != 0 {
            guard store(bytes[index], at: wrapped(address &+ UInt64(index)), stack: op.segment.isStack) else {
                return .fault
            }
        }
        return .next
    }

    /// VGATHERDPS and its kin: the index register is the micro-op's, a vector. An element that is there is taken out of
    /// the mask, so that after a fault the instruction goes on where it was (Intel SDM Vol 2, "VGATHERDPS").
    func gather(_ op: MicroOp, indexBytes: Int, elementBytes: Int) -> Outcome {
        let (target, indexRegister, maskRegister) = (op.a & 15, op.index & 15, op.attributes.vvvv & 15)
        guard target != indexRegister, target != maskRegister, indexRegister != maskRegister else {
            return raise(.invalidOpcode)
        }
        let wide = op.attributes.vectorLength256
        let count = (wide ? 32 : 16) / max(indexBytes, elementBytes)
        let indices = vector(indexRegister)
        var mask = vector(maskRegister)
        var result = vector(target)
        // The mask's elements become all ones or zeros first.
        for index in 0..<count { set(&mask, index, elementBytes, isSet(mask, index, elementBytes) ? .max : 0) }
        var faulted = false
        for index in 0..<count where isSet(mask, index, elementBytes) {
            let raw = element(indices, index, indexBytes)
            let number = indexBytes == 8 ? raw : UInt64(bitPattern: Int64(Int32(truncatingIfNeeded: raw)))
            let offset =
                state.r64(op.base) &+ number << UInt64(op.scale) &+ UInt64(bitPattern: Int64(op.displacement))
            guard
                let address = address(
                    op, offset: offset & op.attributes.addressWidth.mask, count: UInt64(elementBytes), writes: false),
                let value = load(pair: address, bytes: UInt64(elementBytes), stack: op.segment.isStack)
            else {
                faulted = true
                break
            }
            set(&result, index, elementBytes, value.lower.low)
            set(&mask, index, elementBytes, 0)
        }
        if !faulted {
            // What lies above the elements becomes zero, of the mask all of it.
            for index in count..<(32 / elementBytes) { set(&result, index, elementBytes, 0) }
            mask = LanePair()
        }
        setLowerLane(target, result.lower)
        setUpperLane(target, result.upper)
        setLowerLane(maskRegister, mask.lower)
        setUpperLane(maskRegister, mask.upper)
        return faulted ? .fault : .next
    }
}
