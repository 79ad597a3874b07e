// SPDX-License-Identifier: Apache-2.0

import Foundation

// A configuration file is written by people too: a key that nobody reads is a mistake to be told, not to be skipped.

/// Any key of a JSON object.
struct AnyKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}

extension Decoder {
    /// The object here, which is `what` and has none but the keys of `Key`.
    func strictContainer<Key: CodingKey & CaseIterable>(
        keyedBy _: Key.Type, of what: String
    ) throws -> KeyedDecodingContainer<Key> {
        let valid = Key.allCases.map(\.stringValue)
        for key in try container(keyedBy: AnyKey.self).allKeys where !valid.contains(key.stringValue) {
            throw VirtualMachineError.unknown("key of \(what)", key.stringValue, valid: valid)
        }
        return try container(keyedBy: Key.self)
    }
}

extension KeyedDecodingContainer {
    /// The value of `key`, or `standard` where it is left out.
    func value<T: Decodable>(_ key: Key, default standard: T) throws -> T {
        try decodeIfPresent(T.self, forKey: key) ?? standard
    }

    /// What `parse` makes of the text of `key`; nil where it is left out.
    func text<T>(_ key: Key, _ parse: (String) throws -> T) throws -> T? {
        try decodeIfPresent(String.self, forKey: key).map(parse)
    }
}

extension VirtualMachineError {
    /// What `JSONDecoder` found wrong with `what`, in one sentence.
    init(_ error: any Error, decoding what: String) {
        switch error {
        case let error as VirtualMachineError: self = error
        case DecodingError.keyNotFound(let key, let context):
            self.init(.configuration, "\(what) lacks '\((context.codingPath + [key]).dotted)'")
        case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context):
            self.init(
                .configuration, "\(what) has a value of the wrong kind at '\(context.codingPath.dotted)'")
        case DecodingError.dataCorrupted(let context) where !context.codingPath.isEmpty:
            self.init(
                .configuration,
                "\(what) has a value at '\(context.codingPath.dotted)' that cannot be read: \(context.debugDescription)"
            )
        default: self.init(.configuration, "\(what) is no JSON; check its quotes, commas and brackets")
        }
    }
}

extension [any CodingKey] {
    /// `disks.0.file`.
    fileprivate var dotted: String {
        map { key in key.intValue.map { "\($0)" } ?? key.stringValue }.joined(separator: ".")
    }
}

extension JSONText {
    /// The value in `text`, which is `what` for a sentence about it.
    static func decode<T: Decodable>(
        _ type: T.Type, from text: some Collection<UInt8>, of what: String
    ) throws(VirtualMachineError) -> T {
        do {
            return try JSONDecoder().decode(type, from: Data(text))
        } catch {
            throw VirtualMachineError(error, decoding: what)
        }
    }
}
