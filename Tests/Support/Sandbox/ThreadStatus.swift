// SPDX-License-Identifier: Apache-2.0

/// What the kernel tells of a thread in /proc/PID/task/TID/status, as far as a sandbox is concerned.
public struct ThreadStatus: CustomStringConvertible {
    private let fields: [String: [String]]

    /// Reads it.
    public init(_ text: String) {
        let lines = text.split(separator: "\n").map { $0.split(separator: ":", maxSplits: 1) }
        fields = Dictionary(
            lines.filter { $0.count == 2 }.map { line in
                (String(line[0]), line[1].split(whereSeparator: { $0 == "\t" || $0 == " " }).map(String.init))
            }, uniquingKeysWith: { first, _ in first })
    }

    /// NoNewPrivs 1, Seccomp 2 (filters), no capability in any set, and the user. Only root can empty the bounding set,
    /// and leave its groups.
    public func isConfined(user: UInt32, group: UInt32, wasRoot: Bool) -> Bool {
        let sets = ["CapInh", "CapPrm", "CapEff", "CapAmb"] + (wasRoot ? ["CapBnd"] : [])
        return fields["NoNewPrivs"] == ["1"] && fields["Seccomp"] == ["2"]
            && sets.allSatisfy { fields[$0] == ["0000000000000000"] }
            && fields["Uid"] == [String](repeating: "\(user)", count: 4)
            && fields["Gid"] == [String](repeating: "\(group)", count: 4)
            && (!wasRoot || fields["Groups"] ?? [] == [])
    }

    public var description: String {
        ["Name", "NoNewPrivs", "Seccomp", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "Uid", "Gid", "Groups"]
            .map { "\($0) \((fields[$0] ?? []).joined(separator: " "))" }.joined(separator: ", ")
    }
}

/// Whether the tests run as root, as which a process can also empty its bounding set.
