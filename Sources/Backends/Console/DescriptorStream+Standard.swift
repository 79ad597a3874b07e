// SPDX-License-Identifier: Apache-2.0

public import Host
import SystemPackage

extension DescriptorStream {
    /// A console on this program's standard input and output, whatever they are: terminal, pipe, file or closed.
    public static func standard(
        loop: EventLoop, event: @escaping @Sendable (Event) -> Void = { _ in }
    ) -> DescriptorStream {
        DescriptorStream(loop: loop, input: .standardInput, output: .standardOutput, event: event)
    }
}
