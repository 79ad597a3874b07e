// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Waits until `condition` holds; false if it does not within `seconds`.
package func holds(within seconds: Double = 60, _ condition: () throws -> Bool) rethrows -> Bool {
    let deadline = Date(timeIntervalSinceNow: seconds)
    while Date() < deadline {
        if try condition() { return true }
        Thread.sleep(forTimeInterval: 0.05)
    }
    return try condition()
}
