// SPDX-License-Identifier: Apache-2.0
import SystemPackage

/// Where Apus keeps its data (XDG Base Directory Specification).
public enum DataFolder {
    /// `$APUS_HOME`, else `$XDG_DATA_HOME/apus`, else `~/.local/share/apus`.
    public static func path() throws(ImageError) -> FilePath {
        try path { Files.environment($0) }
    }

    static func path(variable: (String) -> String?) throws(ImageError) -> FilePath {
        if let home = variable("APUS_HOME") {
            guard home.hasPrefix("/") else { throw relative("APUS_HOME", home) }
            return FilePath(home)
        }
        // The specification: a relative path is invalid and is ignored.
        if let data = variable("XDG_DATA_HOME"), data.hasPrefix("/") { return FilePath(data).appending("apus") }
        guard let home = variable("HOME"), home.hasPrefix("/") else {
            throw .system(what: "find the data folder", reason: "HOME is not set; set APUS_HOME to a folder")
        }
        return FilePath(home).appending(".local/share/apus")
    }

    private static func relative(_ name: String, _ value: String) -> ImageError {
        .system(what: "use \(name)=\(value) as the data folder", reason: "it must begin with a slash")
    }
}
