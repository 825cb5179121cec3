//! The kernel's program for a policy.
//!
//! It gets a pointer to three numbers (`struct bpf_cgroup_dev_ctx`): the kind of the device in the lower half and the
//! access in the upper half of the first, then major and minor. It returns 1 for yes and 0 for no.

use super::rules::{Devices, Policy};

// Registers: the result, the pointer, and what is loaded once.
const RESULT: u8 = 0;
const CONTEXT: u8 = 1;
const KIND: u8 = 2;
const ACCESS: u8 = 3;
const MAJOR: u8 = 4;
const MINOR: u8 = 5;
const SCRATCH: u8 = 6;

// Operations of `linux/bpf.h`, on 32 bits.
const LOAD: u8 = 0x61;
const MOVE: u8 = 0xb4;
const COPY: u8 = 0xbc;
const AND: u8 = 0x54;
const SHIFT_RIGHT: u8 = 0x74;
const SKIP_UNLESS_EQUAL: u8 = 0x56;
const SKIP_UNLESS_SAME: u8 = 0x5e;
const SKIP_IF_EQUAL: u8 = 0x16;
const EXIT: u8 = 0x95;

/// The instructions, each a `struct bpf_insn` in a number.
pub(super) fn compile(policy: &Policy) -> Vec<u64> {
    let mut program = vec![
        instruction(LOAD, KIND, CONTEXT, 0, 0),
        instruction(COPY, ACCESS, KIND, 0, 0),
        instruction(AND, KIND, 0, 0, 0xffff),
        instruction(SHIFT_RIGHT, ACCESS, 0, 0, 16),
        instruction(LOAD, MAJOR, CONTEXT, 4, 0),
        instruction(LOAD, MINOR, CONTEXT, 8, 0),
    ];
    for (devices, accesses) in &policy.exceptions {
        program.extend(exception(policy.allow, devices, *accesses));
    }
    program.extend(decide(policy.allow));
    program
}

/// A block that decides, or jumps behind itself.
fn exception(default: bool, devices: &Devices, accesses: u32) -> Vec<u64> {
    let mut conditions = vec![(KIND, devices.kind)];
    conditions.extend(devices.major.map(|major| (MAJOR, major)));
    conditions.extend(devices.minor.map(|minor| (MINOR, minor)));
    // Allowed is what asks for nothing else; forbidden, what asks for any of it.
    let asked = [instruction(COPY, SCRATCH, ACCESS, 0, 0), instruction(AND, SCRATCH, 0, 0, accesses)];
    let decision = decide(!default);
    let length = conditions.len() + asked.len() + 1 + decision.len();
    let mut block = Vec::with_capacity(length);
    let behind = |at: usize| i16::try_from(length - at - 1).unwrap_or(i16::MAX);
    for (register, value) in conditions {
        block.push(instruction(SKIP_UNLESS_EQUAL, register, 0, behind(block.len()), value));
    }
    block.extend(asked);
    block.push(match default {
        false => instruction(SKIP_UNLESS_SAME, SCRATCH, ACCESS, behind(block.len()), 0),
        true => instruction(SKIP_IF_EQUAL, SCRATCH, 0, behind(block.len()), 0),
    });
    block.extend(decision);
    block
}

fn decide(allow: bool) -> [u64; 2] {
    [instruction(MOVE, RESULT, 0, 0, allow.into()), instruction(EXIT, 0, 0, 0, 0)]
}

fn instruction(code: u8, destination: u8, source: u8, offset: i16, value: u32) -> u64 {
    let registers =
        if cfg!(target_endian = "little") { source << 4 | destination } else { destination << 4 | source };
    let [o0, o1] = offset.to_ne_bytes();
    let [v0, v1, v2, v3] = value.to_ne_bytes();
    u64::from_ne_bytes([code, registers, o0, o1, v0, v1, v2, v3])
}
