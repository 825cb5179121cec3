//! See `probes::layer`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| probes::layer(bytes));
