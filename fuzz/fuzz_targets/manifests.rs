//! See `probes::manifest`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| probes::manifest(bytes));
