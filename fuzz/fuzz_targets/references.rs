//! See `probes::reference`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| probes::reference(bytes));
