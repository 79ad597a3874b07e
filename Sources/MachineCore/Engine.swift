// SPDX-License-Identifier: Apache-2.0

/// What executes a vCPU: KVM, a translator, the interpreter. A vCPU executes nothing; it is the state.
///
/// `run` is called by the vCPU's thread, and by no two threads at a time for one vCPU. It comes back with the state
/// whole: any engine of the architecture can go on from it.
public protocol Engine<VCPU>: AnyObject {
    associatedtype VCPU: AnyObject
    /// The engine's name as the command line and `inspect` say it.
    var name: StaticString { get }
    /// Executes `vcpu` until an exit. Never blocks but for a bus access.
    func run(_ vcpu: VCPU) -> VMExit
}
