// SPDX-License-Identifier: Apache-2.0
import SystemPackage

/// apt with a configuration, state and cache of its own: needs no root, leaves the host's package database alone,
/// and verifies the archive's signature as apt always does.
struct Apt {
    /// Debian's own archive keys.
    static let keyring: FilePath = "/usr/share/keyrings/debian-archive-keyring.gpg"

    let folder: FilePath
    let architecture: String
    let suite: String
    let mirror: String

    private let get = HostProgram(name: "apt-get", package: "apt")
    private let cache = HostProgram(name: "apt-cache", package: "apt")
    private var configuration: FilePath { folder.appending("apt.conf") }
    private var downloads: FilePath { folder.appending("downloads") }

    /// A package file that apt would fetch.
    struct Item: Equatable {
        let fileName: String
        let size: Int64
    }

    /// Prepares `folder` for apt.
    /// - Parameters:
    ///   - folder: an empty folder of ours.
    ///   - architecture: Debian's name for the guest's platform.
    ///   - suite: the release, by code name.
    ///   - mirror: where its archive is; nil takes the host's own.
    init(folder: FilePath, architecture: String, suite: String, mirror: String?) throws(ImageError) {
        if let mirror, !AptSources.isAddress(mirror) { throw .invalidMirror(mirror) }
        guard let mirror = mirror ?? AptSources.read().mirrors.first else { throw .noMirror }
        guard Files.exists(Self.keyring) else {
            throw .missingOnHost(what: "the keyring \(Self.keyring)", package: "debian-archive-keyring")
        }
        (self.folder, self.architecture, self.suite, self.mirror) = (folder, architecture, suite, mirror)
        for name in ["lists/partial", "cache/archives/partial", "log", "downloads"] {
            try Files.makeFolders(folder.appending(name))
        }
        try Files.write([], to: folder.appending("status"))
        try Files.write(sourcesText.utf8, to: folder.appending("sources.list"))
        try Files.write(configurationText.utf8, to: configuration)
    }

    private var sourcesText: String {
        "deb [arch=\(architecture) signed-by=\(Self.keyring)] \(mirror) \(suite) main\n"
    }

    /// Read after the host's own configuration, which brings its proxies; the hooks and the trust that it may have
    /// configured do not apply here.
    private var configurationText: String {
        func quoted(_ name: String) -> String { "\"\(folder.appending(name))\"" }
        return """
            #clear APT::Update::Pre-Invoke;
            #clear APT::Update::Post-Invoke;
            #clear APT::Update::Post-Invoke-Success;
            #clear APT::Update::Post-Invoke-Stats;
            #clear APT::Architectures;
            APT::Architecture "\(architecture)";
            APT::Architectures { "\(architecture)"; };
            APT::Default-Release "";
            APT::Get::AllowUnauthenticated "false";
            APT::Update::Error-Mode "any";
            // The sandbox user could not write here.
            APT::Sandbox::User "root";
            Acquire::AllowInsecureRepositories "false";
            Acquire::AllowWeakRepositories "false";
            Acquire::AllowDowngradeToInsecureRepositories "false";
            Acquire::Languages "none";
            Acquire::PDiffs "false";
            Acquire::Retries "2";
            Dir::State \(quoted("."));
            Dir::State::lists \(quoted("lists"));
            Dir::State::status \(quoted("status"));
            Dir::Cache \(quoted("cache"));
            Dir::Cache::archives \(quoted("cache/archives"));
            Dir::Log \(quoted("log"));
            Dir::Etc::SourceList \(quoted("sources.list"));
            Dir::Etc::SourceParts "-";
            Dir::Etc::Preferences "-";
            Dir::Etc::PreferencesParts "-";
            Dir::Etc::Trusted "-";
            Dir::Etc::TrustedParts "-";

            """
    }

    /// Fetches the release's list of packages and verifies its signature.
    func update() async throws(ImageError) {
        try await runGet(["update"])
    }

    /// The first package that `metapackage` depends on whose name begins with `prefix`: which kernel is current.
    func dependency(of metapackage: String, prefix: String) async throws(ImageError) -> String {
        let text = try await cache.output(["-c", "\(configuration)", "show", "--no-all-versions", metapackage])
        for line in text.split(separator: "\n") where line.hasPrefix("Depends:") {
            for item in line.dropFirst("Depends:".count).split(separator: ",") {
                let words = item.split { $0 == " " || $0 == "(" || $0 == "|" }
                if let name = words.first, name.hasPrefix(prefix) { return String(name) }
            }
        }
        throw .missingInPackage(what: "dependency that begins with \(prefix)", package: metapackage)
    }

    /// What `packages` weigh, before they are fetched.
    func items(_ packages: [String]) async throws(ImageError) -> [Item] {
        let text = try await get.output(["-c", "\(configuration)", "-qq", "--print-uris", "download"] + packages)
        return Self.parseItems(text)
    }

    /// Lines of `'URI' NAME SIZE HASH`.
    static func parseItems(_ text: String) -> [Item] {
        text.split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ")
            guard words.count >= 3, words[0].hasPrefix("'"), let size = Int64(words[2]), size >= 0 else { return nil }
            return Item(fileName: String(words[1]), size: size)
        }
    }

    /// Fetches package files, their hashes verified against the signed list, and returns their paths.
    func download(_ packages: [String], progress: ImageProgressSink) async throws(ImageError) -> [FilePath] {
        let items = try await items(packages)
        let total = items.reduce(into: Int64(0)) { $0 += $1.size }
        try await runGet(["-o", "APT::Status-Fd=1", "download"] + packages) { line in
            if let part = Self.parseStatus(line) { progress(.bytes(done: Int64(Double(total) * part), total: total)) }
        }
        let names = try Files.names(in: downloads).filter { $0.hasSuffix(".deb") }
        guard names.count == packages.count else {
            throw .missingInPackage(what: "files for \(packages.joined(separator: " and "))", package: mirror)
        }
        return names.map { downloads.appending($0) }
    }

    /// The fraction in apt's `dlstatus:NUMBER:PERCENT:TEXT`.
    static func parseStatus(_ line: String) -> Double? {
        let fields = line.split(separator: ":", maxSplits: 3)
        guard fields.count >= 3, fields[0] == "dlstatus", let percent = Double(fields[2]), (0...100).contains(percent)
        else { return nil }
        return percent / 100
    }

    private func runGet(_ arguments: [String], onLine: (String) -> Void = { _ in }) async throws(ImageError) {
        let outcome = try await get.run(["-c", "\(configuration)", "-qq"] + arguments, in: downloads, onLine: onLine)
        guard !outcome.succeeded else { return }
        if let line = outcome.errorLines.first(where: Self.blamesSignature) {
            throw .signature(mirror: mirror, detail: line)
        }
        // apt's first complaint is the cause; the last is only that it gave up.
        let detail = outcome.errorLines.first { $0.hasPrefix("E: ") } ?? "apt-get \(outcome.status)"
        throw .mirror(mirror, detail: detail)
    }

    private static func blamesSignature(_ line: String) -> Bool {
        ["NO_PUBKEY", "EXPKEYSIG", "REVKEYSIG", "BADSIG", "is not signed", "couldn't be verified", "GPG error"]
            .contains { line.contains($0) }
    }
}
