//! Random ids and names.

use errors::{Class, Error, Result};
use ids::ContainerName;

/// 32 random bytes, for an id.
///
/// # Errors
/// When the kernel gives none.
pub(crate) fn bytes() -> Result<[u8; 32]> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)
        .map_err(|error| Error::new(Class::Internal, format!("draw random bytes: {error}")))?;
    Ok(bytes)
}

/// A name for a container that got none: `adjective_noun`, with digits from the `attempt`th try on.
pub(crate) fn name(attempt: u32) -> Result<ContainerName> {
    const LEFT: [&str; 32] = [
        "able", "amber", "bold", "brave", "bright", "brisk", "calm", "clear", "clever", "cosy", "deft",
        "eager", "early", "fair", "fleet", "fond", "gentle", "glad", "keen", "kind", "light", "lively",
        "lucid", "merry", "neat", "nimble", "proud", "quick", "quiet", "swift", "warm", "wise",
    ];
    const RIGHT: [&str; 32] = [
        "albatross",
        "badger",
        "beaver",
        "bison",
        "crane",
        "dolphin",
        "falcon",
        "ferret",
        "finch",
        "gannet",
        "gecko",
        "heron",
        "ibex",
        "jackdaw",
        "kestrel",
        "lemur",
        "lynx",
        "marten",
        "narwhal",
        "ocelot",
        "otter",
        "penguin",
        "petrel",
        "plover",
        "puffin",
        "raven",
        "seal",
        "stork",
        "swallow",
        "tern",
        "walrus",
        "wren",
    ];
    let bytes = bytes()?;
    let pick = |list: &[&'static str; 32], byte: u8| list[usize::from(byte % 32)];
    let mut name = format!("{}_{}", pick(&LEFT, bytes[0]), pick(&RIGHT, bytes[1]));
    if attempt > 0 {
        name.push_str(&format!(
            "{}",
            u32::from_le_bytes([bytes[2], bytes[3], bytes[4], 0]) % 10_u32.pow(attempt.min(7))
        ));
    }
    Ok(name.parse().expect("made of letters, an underscore and digits"))
}
