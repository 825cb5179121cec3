//! The word that a misspelt one was meant to be.

/// The nearest of the words, if one is near: a third of the letters may be wrong.
pub(crate) fn nearest<'a>(word: &str, words: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let normal = |text: &str| text.to_ascii_lowercase().replace('-', "_");
    let wanted = normal(word);
    let most = (wanted.chars().count() / 3).max(1);
    let distances = words.map(|one| (distance(&wanted, &normal(one)), one));
    distances
        .filter(|(distance, _)| *distance <= most)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, one)| one)
}

/// Letters to add, remove, change or swap with the next.
fn distance(one: &str, other: &str) -> usize {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=other.len()).collect()];
    for i in 1..=one.len() {
        let mut row = vec![i];
        for j in 1..=other.len() {
            let change = usize::from(one[i - 1] != other[j - 1]);
            let mut least = (rows[i - 1][j] + 1).min(row[j - 1] + 1).min(rows[i - 1][j - 1] + change);
            if i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[one.len()][other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_are_found_and_far_ones_are_not() {
        let words = ["ip_range", "ipv6", "mtu", "default_bridge"];
        let of = |word| nearest(word, words.into_iter());
        assert_eq!(of("ip_rnage"), Some("ip_range"));
        assert_eq!(of("ip-range"), Some("ip_range"));
        assert_eq!(of("IPRange"), Some("ip_range"));
        assert_eq!(of("mut"), Some("mtu"));
        assert_eq!(of("subnet"), None);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
