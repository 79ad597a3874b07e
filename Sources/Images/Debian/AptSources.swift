// SPDX-License-Identifier: Apache-2.0
import SystemPackage

/// The Debian mirror that the host's own apt uses, read from its sources in both of their formats
/// (sources.list(5): one line, and deb822).
struct AptSources {
    /// Release names and suites that only Debian's own archive has.
    private static let suites: Set<String> = [
        "buster", "bullseye", "bookworm", "trixie", "forky", "sid", "oldoldstable", "oldstable", "stable", "testing",
        "unstable",
    ]

    /// The addresses of the mirrors found, in the order in which apt reads them.
    private(set) var mirrors: [String] = []

    /// Reads `sources.list` and `sources.list.d` below `folder`. What cannot be read names no mirror.
    static func read(folder: FilePath = "/etc/apt") -> AptSources {
        var sources = AptSources()
        var files = [folder.appending("sources.list")]
        let parts = folder.appending("sources.list.d")
        files += ((try? Files.names(in: parts)) ?? []).map { parts.appending($0) }
        for file in files {
            // A symbolic link in apt's folder is as good as a file.
            let target = (try? Files.symbolicLinkTarget(file)).map {
                file.removingLastComponent().pushing(FilePath($0))
            }
            guard let bytes = try? Files.read(target ?? file, limit: 1 << 20) else { continue }
            sources.add(String(decoding: bytes, as: UTF8.self), isDeb822: file.extension == "sources")
        }
        return sources
    }

    /// Adds what one file says.
    mutating func add(_ text: String, isDeb822: Bool) {
        if isDeb822 { addDeb822(text) } else { addLines(text) }
    }

    private mutating func addLines(_ text: String) {
        for line in text.split(whereSeparator: \.isNewline) {
            let content = line.prefix { $0 != "#" }
            // Options in brackets may hold spaces.
            var words = content.split(whereSeparator: \.isWhitespace)[...]
            guard words.popFirst() == "deb" else { continue }
            if words.first?.hasPrefix("[") == true {
                while let word = words.popFirst(), !word.hasSuffix("]") {}
            }
            guard let address = words.popFirst(), let suite = words.popFirst() else { continue }
            consider(String(address), suites: [String(suite)], components: words.map(String.init))
        }
    }

    private mutating func addDeb822(_ text: String) {
        var fields: [String: String] = [:]
        var last: String?
        for line in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) {
            if line.hasPrefix("#") { continue }
            if line.allSatisfy(\.isWhitespace) {
                considerStanza(fields)
                (fields, last) = ([:], nil)
            } else if let field = last, line.first?.isWhitespace == true {
                fields[field, default: ""] += " \(line)"
            } else if let colon = line.firstIndex(of: ":") {
                let name = line[..<colon].lowercased()
                fields[name] = String(line[line.index(after: colon)...])
                last = name
            }
        }
        considerStanza(fields)
    }

    private mutating func considerStanza(_ fields: [String: String]) {
        func words(_ name: String) -> [String] {
            (fields[name] ?? "").split(whereSeparator: \.isWhitespace).map(String.init)
        }
        guard words("types").contains("deb") else { return }
        if ["no", "false", "without", "off", "disable", "0"].contains(words("enabled").first?.lowercased()) { return }
        for address in words("uris") {
            consider(address, suites: words("suites"), components: words("components"))
        }
    }

    private mutating func consider(_ address: String, suites: [String], components: [String]) {
        let isDebian = suites.contains { Self.suites.contains($0) } && components.contains("main")
        guard isDebian, Self.isAddress(address), !mirrors.contains(address) else { return }
        mirrors.append(address)
    }

    /// Whether `address` may stand in a line of apt's sources: one of the schemes, and nothing that ends the field.
    static func isAddress(_ address: String) -> Bool {
        let schemes = ["http://", "https://", "file:/"]
        guard let scheme = schemes.first(where: { address.hasPrefix($0) }), address.utf8.count > scheme.utf8.count
        else {
            return false
        }
        return address.utf8.count <= 2048
            && address.utf8.allSatisfy { byte in
                byte > 0x20 && byte < 0x7F && !"\"'[]\\#;".utf8.contains(byte)
            }
    }
}
