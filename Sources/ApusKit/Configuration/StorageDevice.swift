// SPDX-License-Identifier: Apache-2.0

/// A virtio disk over a raw file or a block device of the host's.
public struct StorageDevice: Sendable, Equatable {
    /// The file's path.
    public var path: String
    /// The guest may not write; the file is opened for reading only.
    public var isReadOnly: Bool
    /// What the guest sees as the disk's serial: up to 20 characters of ASCII.
    public var serial: String?
    /// The file is a copy for one run: its name is removed once it is open, and its space is free when the machine is
    /// over, however it ends.
    public var isThrownAway = false
    /// How much it may do.
    public var limits = IOLimits()

    /// The disk in the file at `path`.
    public init(path: String, isReadOnly: Bool = false, serial: String? = nil) {
        self.path = path
        self.isReadOnly = isReadOnly
        self.serial = serial
    }

    /// A disk as the command line writes it: `FILE[,ro][,serial=TEXT]` and limits (`IOLimits`). A comma within FILE is written twice.
    public init(parsing text: String) throws(VirtualMachineError) {
        var words = OptionWords(text, separator: ",")
        let path = words.next() ?? ""
        guard !path.isEmpty else {
            throw VirtualMachineError(.configuration, "disk '\(text)' names no file; write FILE[,ro][,serial=TEXT]")
        }
        self.init(path: path)
        while let word = words.next() {
            let (key, value) = OptionWords.pair(word)
            switch (key, value) {
            case ("ro", nil): isReadOnly = true
            case ("serial", let value?): serial = value
            case (_, let value?) where try limits.take(key, value, for: .disk): break
            default:
                throw VirtualMachineError(
                    .configuration,
                    "disk option '\(word)' is not known; valid are ro, serial=TEXT, \(IOLimits.words(.disk)) (a comma "
                        + "in a file's name is written twice)")
            }
        }
        try validate()
    }

    /// Checks what needs no file.
    func validate() throws(VirtualMachineError) {
        try limits.validate(for: .disk)
        guard let serial else { return }
        // virtio 1.2 §5.2.6: 20 bytes.
        guard serial.utf8.count <= 20, serial.utf8.allSatisfy({ (0x20..<0x7F).contains($0) }) else {
            throw VirtualMachineError(
                .configuration, "disk serial '\(serial)' does not fit; it takes up to 20 printable ASCII characters")
        }
    }
}
