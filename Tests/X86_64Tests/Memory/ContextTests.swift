// SPDX-License-Identifier: Apache-2.0

import Testing
import VMMemory

@testable import X86_64

@Suite("The soft TLB and its contexts (Intel SDM Vol 3A §5.10)")
struct ContextTests {
    typealias Fixture = ProcessorFixture

    /// A fixture with PCIDs on whose address 40_9000H is read through the 2 MiB entry at `entry`.
    private func fixture() -> Fixture {
        let fixture = Fixture()
        fixture.enterLong()
        fixture.state.pointee.cr4 |= CR4.pcide
        fixture.ram[Fixture.tables + 0x2010] = 0x87
        fixture.ram[0x9000] = 0x11
        fixture.ram[0x20_9000] = 0x22
        fixture.processor.stateChanged()
        return fixture
    }

    private func read(_ fixture: Fixture) -> UInt64? { fixture.processor.load(UInt64.self, at: 0x40_9000) }

    @Test("bit 63 of a CR3 write keeps what is cached of the context, its absence drops it")
    func keeps() {
        let fixture = fixture()
        #expect(fixture.processor.setCR3(Fixture.tables | 1))
        #expect(read(fixture) == 0x11)
        #expect(fixture.processor.setCR3(Fixture.tables | 2))
        fixture.ram[Fixture.tables + 0x2010] = 0x20_0087
        #expect(fixture.processor.setCR3(1 << 63 | Fixture.tables | 1))
        #expect(read(fixture) == 0x11)
        #expect(fixture.processor.setCR3(Fixture.tables | 1))
        #expect(read(fixture) == 0x22)
    }

    @Test("more contexts than are kept are never taken for one another")
    func many() {
        let fixture = fixture()
        for context: UInt64 in 1...20 {
            #expect(fixture.processor.setCR3(1 << 63 | Fixture.tables | context))
            fixture.ram[Fixture.tables + 0x2010] = context & 1 == 0 ? 0x87 : 0x20_0087
            #expect(read(fixture) == (context & 1 == 0 ? 0x11 : 0x22))
        }
    }

    @Test("a thousand changes of context begin the generations anew without an old entry coming back")
    func generations() {
        let fixture = fixture()
        #expect(fixture.processor.setCR3(Fixture.tables | 1))
        #expect(read(fixture) == 0x11)
        for _ in 0..<1100 { _ = fixture.processor.setCR3(Fixture.tables | 2) }
        fixture.ram[Fixture.tables + 0x2010] = 0x20_0087
        for _ in 0..<1100 {
            _ = fixture.processor.setCR3(Fixture.tables | 2)
            #expect(read(fixture) == 0x22)
        }
    }

    @Test("a change of CR4.PGE drops all contexts (§5.10.4.1)")
    func global() {
        let fixture = fixture()
        #expect(fixture.processor.setCR3(Fixture.tables | 1))
        #expect(read(fixture) == 0x11)
        #expect(fixture.processor.setCR3(Fixture.tables | 2))
        #expect(fixture.processor.setCR4(fixture.state.pointee.cr4 | CR4.pge))
        fixture.ram[Fixture.tables + 0x2010] = 0x20_0087
        #expect(fixture.processor.setCR3(1 << 63 | Fixture.tables | 1))
        #expect(read(fixture) == 0x22)
    }
}
