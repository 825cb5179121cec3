//! Patterns of the `reference` filter: Go's `path.Match`, in which `*` and `?` stop at slashes.

/// A pattern, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Literal(char),
    Any,
    Many,
    Class { negated: bool, ranges: Vec<(char, char)> },
}

impl Pattern {
    /// None: malformed.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (mut pieces, mut chars) = (Vec::new(), text.chars().peekable());
        while let Some(c) = chars.next() {
            pieces.push(match c {
                '*' => Piece::Many,
                '?' => Piece::Any,
                '\\' => Piece::Literal(chars.next()?),
                '[' => class(&mut chars)?,
                other => Piece::Literal(other),
            });
        }
        Some(Self(pieces))
    }

    /// Whether the whole text matches.
    pub(crate) fn matches(&self, text: &str) -> bool {
        let text: Vec<char> = text.chars().collect();
        // For each prefix of the pattern: after how many characters of the text it can end.
        let mut ends = vec![false; text.len() + 1];
        ends[0] = true;
        for piece in &self.0 {
            let mut next = vec![false; text.len() + 1];
            for end in (0..=text.len()).filter(|end| ends[*end]) {
                piece.extend(&text, end, &mut next);
            }
            ends = next;
        }
        ends[text.len()]
    }
}

impl Piece {
    fn extend(&self, text: &[char], end: usize, next: &mut [bool]) {
        if *self == Self::Many {
            let run = text[end..].iter().take_while(|c| **c != '/').count();
            next[end..=end + run].fill(true);
        } else if text.get(end).is_some_and(|c| self.is(*c)) {
            next[end + 1] = true;
        }
    }

    fn is(&self, c: char) -> bool {
        match self {
            Self::Literal(literal) => *literal == c,
            Self::Any | Self::Many => c != '/',
            Self::Class { negated, ranges } => {
                *negated != ranges.iter().any(|(from, to)| (*from..=*to).contains(&c))
            }
        }
    }
}

/// `[a-z^]` without its opening bracket.
fn class(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<Piece> {
    let negated = chars.next_if_eq(&'^').is_some();
    let mut ranges = Vec::new();
    let one = |chars: &mut std::iter::Peekable<std::str::Chars<'_>>| match chars.next()? {
        '\\' => chars.next(),
        '-' => None,
        other => Some(other),
    };
    loop {
        if !ranges.is_empty() && chars.next_if_eq(&']').is_some() {
            return Some(Piece::Class { negated, ranges });
        }
        let from = one(chars).filter(|c| *c != ']')?;
        let to = if chars.next_if_eq(&'-').is_some() { one(chars)? } else { from };
        ranges.push((from, to));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_in_go() {
        for (pattern, text, matches) in [
            ("busybox", "busybox", true),
            ("busy*", "busybox", true),
            ("busy*", "busybox/x", false),
            ("*/*", "user/app", true),
            ("*:lat?st", "app:latest", true),
            ("app:[0-9].[^0]", "app:3.1", true),
            ("app:[0-9].[^0]", "app:3.0", false),
            ("a\\*", "a*", true),
            ("a\\*", "ab", false),
            ("***", "", true),
            ("?", "/", false),
        ] {
            assert_eq!(Pattern::parse(pattern).unwrap().matches(text), matches, "{pattern} {text}");
        }
        for bad in ["[", "[a", "[]", "a\\", "[-a]", "[a-]"] {
            assert!(Pattern::parse(bad).is_none(), "{bad}");
        }
    }
}
