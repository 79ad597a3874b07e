// SPDX-License-Identifier: Apache-2.0

import Devices
import MachineCore

/// The devicetree of a `virt` machine, from the same constants as its bus.
///
/// Bindings are those that Linux documents (Documentation/devicetree/bindings), named at each node.
struct VirtDeviceTree {
    /// What changes from machine to machine.
    struct Board {
        var harts: Int
        var memorySize: UInt64
        var hasPCI: Bool
        /// M-mode is the guest's: it needs the CLINT. Under the built-in SBI nobody may know of it.
        var showsMachineMode: Bool
    }

    /// What changes from boot to boot. The tree's size depends on none of it but the command line's length.
    struct Boot {
        var commandLine: String
        var initrd: BootPlan.Span?
        /// 32 and 8 random bytes.
        var randomSeed: [UInt8]
        var layoutSeed: [UInt8]
    }

    let board: Board

    private static let plicHandle: UInt32 = 1
    private static let finisherHandle: UInt32 = 2
    /// CPUs and their interrupt controllers.
    private static func cpuHandle(_ hart: Int) -> UInt32 { 0x10 + UInt32(hart) * 2 }
    private static func interruptHandle(_ hart: Int) -> UInt32 { 0x11 + UInt32(hart) * 2 }

    /// The extensions of a hart, in the order that RISC-V Unpriv 20240411 §27 gives names of several letters.
    static let extensions = [
        "i", "m", "a", "f", "d", "c", "zicbom", "zicboz", "zicntr", "zicond", "zicsr", "zifencei", "zihintpause",
        "zawrs", "zfh", "zba", "zbb", "zbc", "zbs", "sstc", "svadu", "svinval", "svnapot", "svpbmt",
    ]

    /// The tree as bytes.
    func flattened(_ boot: Boot) -> [UInt8] {
        FDTNode("") { root in
            root.set("#address-cells", cells: 2)
            root.set("#size-cells", cells: 2)
            root.set("compatible", strings: "riscv-virtio")
            root.set("model", strings: "apus,virt")
            addChosen(&root, boot)
            addMemory(&root)
            addProcessors(&root)
            root.node("soc") { soc in
                soc.set("#address-cells", cells: 2)
                soc.set("#size-cells", cells: 2)
                soc.set("compatible", strings: "simple-bus")
                soc.set(flag: "ranges")
                addFinisher(&soc)
                addRealTimeClock(&soc)
                if board.showsMachineMode { addMachineMode(&soc) }
                addInterruptController(&soc)
                addSerial(&soc)
                for slot in 0..<VirtMemoryMap.virtioSlots { addVirtioSlot(&soc, slot) }
                if board.hasPCI { addPCI(&soc) }
            }
            addPowerSwitches(&root)
        }.flattened()
    }

    // MARK: The system

    /// DTSpec 0.4 §3.6; Linux, bindings of `chosen`: rng-seed, kaslr-seed, linux,initrd-*.
    private func addChosen(_ root: inout FDTNode, _ boot: Boot) {
        root.node("chosen") { chosen in
            chosen.set("bootargs", strings: boot.commandLine)
            chosen.set("stdout-path", strings: "/soc/\(Self.name("serial", VirtMemoryMap.uart))")
            chosen.set("rng-seed", bytes: boot.randomSeed)
            chosen.set("kaslr-seed", bytes: boot.layoutSeed)
            let initrd = boot.initrd ?? BootPlan.Span(start: 0, size: 0)
            guard initrd.size > 0 else { return }
            chosen.set("linux,initrd-start", doubles: initrd.start)
            chosen.set("linux,initrd-end", doubles: initrd.end)
        }
    }

    private func addMemory(_ root: inout FDTNode) {
        root.node("memory@\(String(VirtMemoryMap.memoryBase, radix: 16))") { memory in
            memory.set("device_type", strings: "memory")
            memory.set("reg", doubles: VirtMemoryMap.memoryBase, board.memorySize)
        }
    }

    /// Bindings riscv/cpus.yaml and riscv/extensions.yaml.
    private func addProcessors(_ root: inout FDTNode) {
        root.node("cpus") { cpus in
            cpus.set("#address-cells", cells: 1)
            cpus.set("#size-cells", cells: 0)
            cpus.set("timebase-frequency", cells: UInt32(MTIMER.frequency))
            for hart in 0..<board.harts { addProcessor(&cpus, hart) }
            cpus.node("cpu-map") { map in
                map.node("cluster0") { cluster in
                    for hart in 0..<board.harts {
                        cluster.node("core\(hart)") { $0.set("cpu", cells: Self.cpuHandle(hart)) }
                    }
                }
            }
        }
    }

    private func addProcessor(_ cpus: inout FDTNode, _ hart: Int) {
        cpus.node("cpu@\(String(hart, radix: 16))") { cpu in
            cpu.set("phandle", cells: Self.cpuHandle(hart))
            cpu.set("device_type", strings: "cpu")
            cpu.set("reg", cells: UInt32(hart))
            cpu.set("status", strings: "okay")
            cpu.set("compatible", strings: "riscv")
            let letters = Self.extensions.filter { $0.count == 1 }.joined()
            let names = Self.extensions.filter { $0.count > 1 }.map { "_" + $0 }.joined()
            cpu.set("riscv,isa", strings: "rv64" + letters + names)
            cpu.set("riscv,isa-base", strings: "rv64i")
            cpu.set("riscv,isa-extensions", strings: Self.extensions)
            cpu.set("riscv,cbom-block-size", cells: 64)
            cpu.set("riscv,cboz-block-size", cells: 64)
            cpu.set("mmu-type", strings: "riscv,sv57")
            cpu.node("interrupt-controller") { controller in
                controller.set("phandle", cells: Self.interruptHandle(hart))
                controller.set("#address-cells", cells: 0)
                controller.set("#interrupt-cells", cells: 1)
                controller.set(flag: "interrupt-controller")
                controller.set("compatible", strings: "riscv,cpu-intc")
            }
        }
    }

    /// Bindings power/reset/syscon-poweroff.yaml and syscon-reboot.yaml.
    private func addPowerSwitches(_ root: inout FDTNode) {
        for (name, value) in [("poweroff", UInt32(0x5555)), ("reboot", 0x7777)] {
            root.node(name) { node in
                node.set("compatible", strings: "syscon-\(name)")
                node.set("regmap", cells: Self.finisherHandle)
                node.set("offset", cells: 0)
                node.set("value", cells: value)
            }
        }
    }

    // MARK: Chips

    private static func name(_ kind: String, _ range: VirtMemoryMap.Range) -> String {
        "\(kind)@\(String(range.base, radix: 16))"
    }

    private func addChip(
        _ soc: inout FDTNode, _ kind: String, _ range: VirtMemoryMap.Range, _ compatible: [String],
        _ build: (inout FDTNode) -> Void
    ) {
        soc.node(Self.name(kind, range)) { chip in
            chip.set("compatible", strings: compatible)
            chip.set("reg", doubles: range.base, range.size)
            build(&chip)
        }
    }

    private func setInterrupt(_ chip: inout FDTNode, _ source: Int) {
        chip.set("interrupt-parent", cells: Self.plicHandle)
        chip.set("interrupts", cells: UInt32(source))
    }

    private func addFinisher(_ soc: inout FDTNode) {
        addChip(&soc, "test", VirtMemoryMap.finisher, ["sifive,test1", "sifive,test0", "syscon"]) { chip in
            chip.set("phandle", cells: Self.finisherHandle)
        }
    }

    /// Binding rtc/google,goldfish-rtc.yaml.
    private func addRealTimeClock(_ soc: inout FDTNode) {
        addChip(&soc, "rtc", VirtMemoryMap.realTimeClock, ["google,goldfish-rtc"]) { chip in
            setInterrupt(&chip, VirtInterrupt.realTimeClock)
        }
    }

    /// Bindings timer/sifive,clint.yaml and interrupt-controller/riscv,aclint-sswi. Interrupts 3 and 7 are the hart's
    /// machine software and timer interrupts, 1 its supervisor software interrupt.
    private func addMachineMode(_ soc: inout FDTNode) {
        addChip(&soc, "clint", VirtMemoryMap.clint, ["sifive,clint0", "riscv,clint0"]) { chip in
            chip.set("interrupts-extended", cells: perHart([3, 7]))
        }
        addChip(&soc, "sswi", VirtMemoryMap.supervisorSoftware, ["riscv,aclint-sswi"]) { chip in
            chip.set("interrupts-extended", cells: perHart([1]))
            chip.set(flag: "interrupt-controller")
            chip.set("#address-cells", cells: 0)
            chip.set("#interrupt-cells", cells: 0)
        }
    }

    /// Binding interrupt-controller/sifive,plic-1.0.0.yaml. A hart has two contexts: machine external (11), supervisor
    /// external (9).
    private func addInterruptController(_ soc: inout FDTNode) {
        addChip(&soc, "plic", VirtMemoryMap.plic, ["sifive,plic-1.0.0", "riscv,plic0"]) { chip in
            chip.set("phandle", cells: Self.plicHandle)
            chip.set("#address-cells", cells: 0)
            chip.set("#interrupt-cells", cells: 1)
            chip.set(flag: "interrupt-controller")
            chip.set("interrupts-extended", cells: perHart([11, 9]))
            chip.set("riscv,ndev", cells: UInt32(VirtInterrupt.sources))
        }
    }

    private func perHart(_ numbers: [UInt32]) -> [UInt32] {
        (0..<board.harts).flatMap { hart in numbers.flatMap { [Self.interruptHandle(hart), $0] } }
    }

    /// Binding serial/8250.yaml.
    private func addSerial(_ soc: inout FDTNode) {
        addChip(&soc, "serial", VirtMemoryMap.uart, ["ns16550a"]) { chip in
            setInterrupt(&chip, VirtInterrupt.uart)
            chip.set("clock-frequency", cells: 3_686_400)
        }
    }

    /// Binding virtio/mmio.yaml.
    private func addVirtioSlot(_ soc: inout FDTNode, _ slot: Int) {
        addChip(&soc, "virtio_mmio", VirtMemoryMap.virtio(slot), ["virtio,mmio"]) { chip in
            setInterrupt(&chip, VirtInterrupt.virtio(slot))
            chip.set(flag: "dma-coherent")
        }
    }

    /// Binding pci/host-generic-pci.yaml; the cells of `ranges` and `interrupt-map` are those of the PCI bus binding to
    /// IEEE 1275 §2.2.1.
    private func addPCI(_ soc: inout FDTNode) {
        addChip(&soc, "pci", VirtMemoryMap.pciConfiguration, ["pci-host-ecam-generic"]) { chip in
            chip.set("device_type", strings: "pci")
            chip.set("#address-cells", cells: 3)
            chip.set("#size-cells", cells: 2)
            chip.set("#interrupt-cells", cells: 1)
            chip.set("linux,pci-domain", cells: 0)
            chip.set("bus-range", cells: 0, 255)
            chip.set(flag: "dma-coherent")
            let high = VirtMemoryMap.pciHighMemory(memorySize: board.memorySize)
            chip.set(
                "ranges",
                cells: window(0x0100_0000, at: 0, VirtMemoryMap.pciPorts)
                    + window(0x0200_0000, at: VirtMemoryMap.pciMemory.base, VirtMemoryMap.pciMemory)
                    + window(0x0300_0000, at: high.base, high))
            // The device's number decides modulo 4 (PCIInterruptRouting).
            chip.set("interrupt-map-mask", cells: 3 << 11, 0, 0, 7)
            chip.set("interrupt-map", cells: interruptMap)
        }
    }

    private func window(_ space: UInt32, at address: UInt64, _ range: VirtMemoryMap.Range) -> [UInt32] {
        [space]
            + [address, range.base, range.size].flatMap { (value: UInt64) in
                [UInt32(truncatingIfNeeded: value >> 32), UInt32(truncatingIfNeeded: value)]
            }
    }

    private var interruptMap: [UInt32] {
        (0..<UInt8(4)).flatMap { device in
            [PCIInterruptPin.a, .b, .c, .d].flatMap { pin in
                let line = PCIInterruptRouting.line(device: device, pin: pin)
                return [
                    UInt32(device) << 11, 0, 0, UInt32(pin.rawValue), Self.plicHandle,
                    UInt32(VirtInterrupt.pciFirst + line),
                ]
            }
        }
    }
}
