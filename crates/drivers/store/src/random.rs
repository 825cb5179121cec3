//! Random numbers of tests, that come again with the same seed.

/// `STORE_SEED` or another each time; printed by whoever fails.
pub(crate) fn seeded() -> (u64, Random) {
    let given = std::env::var("STORE_SEED").ok().map(|text| text.parse().unwrap());
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let seed = given.unwrap_or_else(|| u64::from(now.subsec_nanos()) | now.as_secs() << 32 | 1);
    (seed, Random(seed))
}

/// Marsaglia's xorshift.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 16).unwrap() % end
    }
}
