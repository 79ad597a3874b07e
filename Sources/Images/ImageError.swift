// SPDX-License-Identifier: Apache-2.0

import Host

/// Why an image could not be found, built, packed or removed. The description is one sentence with the remedy.
public enum ImageError: Error, Equatable, CustomStringConvertible {
    /// No recipe and no stored image has this name; `known` lists those that exist.
    case unknownImage(name: String, known: [String])
    /// The recipe exists, but not for this platform.
    case unknownPlatform(image: String, platform: String, known: [String])
    /// The image is not in the store.
    case notBuilt(name: String, platform: String)
    /// A name that cannot be a folder's name.
    case invalidName(String)
    /// A name that the catalogue has, for an image of the user's own.
    case reservedName(String)
    /// Another process is building or removing this image.
    case busy(name: String)
    /// A program or file of the host is missing; `package` is the Debian package that has it.
    case missingOnHost(what: String, package: String)
    /// A host program ended with a failure; `detail` is the end of what it said.
    case programFailed(program: String, status: String, detail: String)
    /// The host's apt sources name no Debian mirror.
    case noMirror
    /// `--mirror` is not a mirror's address.
    case invalidMirror(String)
    /// The mirror could not be reached or lacks the release; `detail` is what apt said.
    case mirror(String, detail: String)
    /// The archive's signature could not be verified; `detail` is what apt said.
    case signature(mirror: String, detail: String)
    /// The guest agent for a platform is not installed beside the program; `searched` lists where it was looked for.
    case missingAgent(file: String, searched: [String])
    /// A package or archive is damaged or does what no honest one does.
    case malformed(file: String, reason: String)
    /// A package lacks what the recipe needs from it.
    case missingInPackage(what: String, package: String)
    /// The operating system refused; `what` names the operation and the path.
    case system(what: String, reason: String)
    /// The host did not give what was asked of it; `sentence` says what, why and what to do.
    case host(sentence: String)
    /// The folder to pack cannot be packed.
    case folder(path: String, reason: String)

    public var description: String {
        switch self {
        case .unknownImage(let name, let known):
            "there is no image called \(name); known images are \(known.joined(separator: ", "))"
        case .unknownPlatform(let image, let platform, let known):
            "\(image) cannot be built for \(platform); it exists for \(known.joined(separator: ", "))"
        case .notBuilt(let name, let platform):
            "\(name) is not built for \(platform); build it with `apus image build \(name) --platform \(platform)`"
        case .invalidName(let name):
            "\(name.debugDescription) cannot name an image; use letters, digits, '-', '_' and '.', at most 64, "
                + "beginning with a letter or digit"
        case .reservedName(let name):
            "\(name) is an image of the catalogue; give yours another name"
        case .busy(let name):
            "another process is working on \(name); try again when it has finished"
        case .missingOnHost(let what, let package):
            "\(what) is missing on this host; install the Debian package \(package)"
        case .programFailed(let program, let status, let detail):
            "\(program) \(status)\(detail.isEmpty ? "" : ": \(detail)")"
        case .noMirror:
            "this host's apt sources name no Debian mirror; name one with --mirror URL"
        case .invalidMirror(let mirror):
            "\(mirror.debugDescription) is not a mirror's address; use http://, https:// or file:/ and a path "
                + "that has dists/ below it"
        case .mirror(let mirror, let detail):
            "nothing could be fetched from the mirror \(mirror) (\(detail)); check the network, or name another one "
                + "with --mirror URL"
        case .signature(let mirror, let detail):
            "the signature of the Debian archive at \(mirror) could not be verified (\(detail)); update the package "
                + "debian-archive-keyring on this host, or use another mirror"
        case .missingAgent(let file, let searched):
            "the guest agent \(file) was not found in \(searched.joined(separator: ", ")); run `make build`, or name "
                + "its folder in APUS_DATA"
        case .malformed(let file, let reason):
            "\(file) is malformed: \(reason); remove it and build again"
        case .missingInPackage(let what, let package):
            "the package \(package) has no \(what); this version of it is not one Apus knows"
        case .system(let what, let reason):
            "cannot \(what): \(reason)"
        case .host(let sentence): sentence
        case .folder(let path, let reason):
            "cannot pack \(path): \(reason)"
        }
    }
}

extension ImageError {
    init(_ error: HostError) { self = .host(sentence: error.description) }
}
