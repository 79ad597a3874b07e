// SPDX-License-Identifier: Apache-2.0

/// Ends the run with a finding: something held that must not.
public func require(_ holds: Bool, _ sentence: @autoclosure () -> String) {
    if !holds { fatalError(sentence()) }
}

/// Where a target reaches deep into what it tests. A build with the planted bug ends here when `reached`, so that
/// `make fuzz PLANTED=1` shows that the fuzzer gets so far; any other build goes on.
@inline(never)
public func plantedBug(_ reached: @autoclosure () -> Bool) {
    #if APUS_PLANTED_BUG
    if reached() { fatalError("the planted bug") }
    #endif
}
