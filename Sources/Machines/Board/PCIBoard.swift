// SPDX-License-Identifier: Apache-2.0

import Devices
import MachineCore
import Synchronization

/// The PCI Express root bus on the board: its windows, and the functions behind them, each in a slot with its lock.
@safe
final class PCIBoard: Sendable {
    private let slots: [PCIAddress: PCISlot]
    // SAFETY: touched under `hostLock` alone.
    private nonisolated(unsafe) let host = PCIHost()
    private let hostLock = Mutex<Void>(())
    /// What the four lines carry; held while they are driven.
    private let driven = Mutex<UInt64>(0)
    private let lines: [InterruptLine]

    /// A bus with `slots`, whose INTx lines end at `lines`.
    init(_ slots: [PCISlot], lines: [InterruptLine]) {
        precondition(lines.count == PCIInterruptRouting.lines, "a host bridge has four interrupt lines")
        self.slots = Dictionary(uniqueKeysWithValues: slots.map { ($0.address, $0) })
        self.lines = lines
        for slot in slots { slot.connect(self) }
    }

    var residents: [any BoardResident] { slots.values.sorted { $0.address < $1.address } }

    // MARK: What a slot tells

    fileprivate func setDecoding(_ decoding: PCIDecoding, of function: PCIAddress) {
        // SAFETY: under `hostLock`.
        hostLock.withLock { _ in unsafe host.setDecoding(decoding, of: function) }
    }

    /// Carries the levels of all slots to the lines. Like `BoardSlot` it drives what was published last.
    fileprivate func driveLines(_ slot: PCISlot) {
        driven.withLock { driven in
            // SAFETY: under `hostLock`.
            let levels = hostLock.withLock { _ in
                unsafe host.setInterrupt(slot.publishedLevel, of: slot.address, pin: slot.pin)
                return unsafe host.interruptLevels
            }
            let changed = levels ^ driven
            driven = levels
            for (number, line) in lines.enumerated() where changed >> UInt64(number) & 1 != 0 {
                line.set(levels >> UInt64(number) & 1 != 0)
            }
        }
    }

    // MARK: Accesses

    func slot(_ address: PCIAddress) -> PCISlot? { slots[address] }

    fileprivate func target(
        in space: PCISpace, at address: UInt64, width: AccessWidth
    ) -> (slot: PCISlot, bar: Int, offset: UInt64)? {
        // SAFETY: under `hostLock`.
        let target = hostLock.withLock { _ in unsafe host.target(in: space, at: address, width: width) }
        guard let target, let slot = slots[target.function] else { return nil }
        return (slot, target.bar, target.offset)
    }

    /// Configuration space as ECAM has it.
    final class ConfigurationWindow: BusTarget {
        private let board: PCIBoard
        init(_ board: PCIBoard) { self.board = board }

        func busRead(at offset: UInt64, width: AccessWidth) -> UInt64 {
            let target = PCIHost.configurationTarget(ecam: offset)
            guard let slot = board.slot(target.function) else { return PCIHost.unanswered }
            return slot.change { $0.readConfiguration(at: target.register, width: width) }
        }

        func busWrite(_ value: UInt64, at offset: UInt64, width: AccessWidth) {
            let target = PCIHost.configurationTarget(ecam: offset)
            guard let slot = board.slot(target.function) else { return }
            slot.change { $0.writeConfiguration(value, at: target.register, width: width) }
        }
    }

    /// A window through which base addresses are reached: bus addresses from `base`.
    final class AddressWindow: BusTarget {
        private let board: PCIBoard
        private let space: PCISpace
        private let base: UInt64

        init(_ board: PCIBoard, _ space: PCISpace, base: UInt64) {
            self.board = board
            self.space = space
            self.base = base
        }

        func busRead(at offset: UInt64, width: AccessWidth) -> UInt64 {
            guard let (slot, bar, offset) = board.target(in: space, at: base &+ offset, width: width) else {
                return PCIHost.unanswered
            }
            return slot.countedChange { $0.read(bar: bar, at: offset, width: width) }
        }

        func busWrite(_ value: UInt64, at offset: UInt64, width: AccessWidth) {
            guard let (slot, bar, offset) = board.target(in: space, at: base &+ offset, width: width) else { return }
            slot.countedChange { $0.write(value, bar: bar, at: offset, width: width) }
        }
    }
}

/// A function's place on the bus: the lock around it. What `BoardSlot` is for a chip.
@safe
final class PCISlot: BoardResident {
    let name: String
    let address: PCIAddress
    let pin: PCIInterruptPin
    // SAFETY: touched under `lock` alone, or before the machine runs.
    private nonisolated(unsafe) let function: any PCIFunction
    private let lock = Mutex<Void>(())
    private let published = Atomic<Bool>(false)
    private let accesses = Atomic<UInt64>(0)
    // SAFETY: written once, when the board is assembled. The board owns its slots for as long as anyone calls them.
    private nonisolated(unsafe) weak var board: PCIBoard?

    /// `function` at `address`.
    init(_ function: any PCIFunction, name: String, at address: PCIAddress) {
        self.name = name
        self.address = address
        self.pin = function.configuration.interruptPin
        // SAFETY: stored; see `function`.
        unsafe self.function = function
    }

    fileprivate func connect(_ board: PCIBoard) {
        // SAFETY: before the machine runs.
        unsafe self.board = board
    }

    /// The interrupt's level, as last computed under the lock.
    fileprivate var publishedLevel: Bool { published.load(ordering: .acquiring) }

    func countedChange<T>(_ body: (any PCIFunction) -> T) -> T {
        accesses.wrappingAdd(1, ordering: .relaxed)
        return change(body)
    }

    /// Calls `body` with the function, then does all that follows a change.
    @discardableResult
    func change<T>(_ body: (any PCIFunction) -> T) -> T {
        // SAFETY: all within the lock; what leaves it is the work, which the function has given away.
        nonisolated(unsafe) var work: DeviceWork?
        nonisolated(unsafe) var result: T?
        nonisolated(unsafe) let call = body
        nonisolated(unsafe) var decoding: PCIDecoding?
        let levelChanged = lock.withLock { _ in
            unsafe result = call(function)
            unsafe decoding = function.configuration.takeDecodingChange()
            unsafe work = function.takeWork()
            let level = unsafe function.interruptLevel
            return published.exchange(level, ordering: .acquiringAndReleasing) != level
        }
        // SAFETY: this thread's own now; `board` was set before the machine ran.
        if let board = unsafe board {
            if let decoding = unsafe decoding { board.setDecoding(decoding, of: address) }
            if levelChanged { board.driveLines(self) }
        }
        unsafe work?()
        guard let result = unsafe result else { preconditionFailure("the lock runs what it is given") }
        return result
    }

    func reset() { change { $0.reset() } }

    func refresh() { change { _ in } }

    var counters: [(name: String, count: UInt64)] {
        [("accesses", accesses.load(ordering: .relaxed))] + change { ($0 as? any CountingChip)?.counts ?? [] }
    }
}
