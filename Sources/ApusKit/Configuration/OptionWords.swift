// SPDX-License-Identifier: Apache-2.0

/// The words of an option's value between separators; a separator written twice stands for itself.
struct OptionWords {
    private var rest: Substring?
    private let separator: Character

    init(_ text: String, separator: Character) {
        rest = text[...]
        self.separator = separator
    }

    /// The next word, or nil after the last.
    mutating func next() -> String? {
        guard var text = rest else { return nil }
        var word = ""
        while let character = text.popFirst() {
            guard character == separator else {
                word.append(character)
                continue
            }
            if text.first == separator {
                text.removeFirst()
                word.append(separator)
            } else {
                rest = text
                return word
            }
        }
        rest = nil
        return word
    }

    /// `key=value` apart; without `=` there is no value.
    static func pair(_ word: String) -> (key: String, value: String?) {
        guard let equals = word.firstIndex(of: "=") else { return (word, nil) }
        return (String(word[..<equals]), String(word[word.index(after: equals)...]))
    }
}
