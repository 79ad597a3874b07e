// SPDX-License-Identifier: Apache-2.0

/// What lies where in the x86-64 machine's RAM before the first instruction, and how the first processor starts; the
/// others wait for it.
struct PCBootPlan: Sendable {
    /// Files and what is told the kernel of them: the same at every reset.
    var pieces: [BootPlan.Piece] = []
    /// How the first processor enters the kernel.
    var entry = PCEntryState.multiboot(entry: 0)
    /// Where `setup_data` with a random seed goes, which is another at each reset.
    var randomSeed: BootPlan.Span?
}
