//! Where everything stands, and what cannot be read.

use super::*;

/// The text of every scalar with what stands at its span.
fn spans(text: &str) -> Vec<(String, String)> {
    fn walk(node: &Node, text: &str, found: &mut Vec<(String, String)>) {
        match &node.value {
            NodeValue::Scalar { text: said, .. } => {
                found.push((said.clone(), text[node.span.clone()].to_owned()))
            }
            NodeValue::List { items } => items.iter().for_each(|item| walk(item, text, found)),
            NodeValue::Map { entries, .. } => entries.iter().for_each(|(key, value)| {
                walk(key, text, found);
                walk(value, text, found);
            }),
        }
    }
    let mut found = Vec::new();
    walk(&parse(text).unwrap().root.unwrap(), text, &mut found);
    found
}

#[test]
fn everything_knows_where_it_stands() {
    let text = "# über\na: \"x\" # y\nb:\n  - 1\n  - 'z z'\nc: {d: e,\n  f: g}\nh:\ni: |\n  text\n\nj: 1\n";
    let pairs = spans(text);
    let expected = [
        ("a", "a"),
        ("x", "\"x\""),
        ("b", "b"),
        ("1", "1"),
        ("z z", "'z z'"),
        ("c", "c"),
        ("d", "d"),
        ("e", "e"),
        ("f", "f"),
        ("g", "g"),
        ("h", "h"),
        ("", ""),
        ("i", "i"),
        ("text\n", "text"),
        ("j", "j"),
        ("1", "1"),
    ];
    let expected: Vec<_> = expected.iter().map(|(one, other)| (one.to_string(), other.to_string())).collect();
    assert_eq!(pairs, expected);
    let document = parse(text).unwrap();
    let comments: Vec<_> = document.comments.iter().map(|range| &text[range.clone()]).collect();
    assert_eq!(comments, ["# über", "# y"]);
    let NodeValue::Map { entries, .. } = document.root.unwrap().value else { panic!() };
    let (key, value) = &entries[1];
    assert_eq!((key.line, key.column, value.line, value.column), (3, 1, 4, 3));
    assert_eq!(&text[value.span.clone()], "- 1\n  - 'z z'");
    assert_eq!(&text[entries[2].1.span.clone()], "{d: e,\n  f: g}");
}

#[test]
fn json_is_yaml_and_an_empty_text_says_nothing() {
    assert_eq!(spans("{\"a\": [1, \"b\"]}").len(), 3);
    for text in ["", "\n", "# only words\n", "---\n"] {
        assert!(parse(text).unwrap().root.is_none(), "{text:?}");
    }
}

#[test]
fn what_cannot_be_read_is_pointed_at() {
    let of = |text: &str| {
        let error = parse(text).unwrap_err();
        format!("{}:{}: {}", error.line, error.column, error.message)
    };
    assert_eq!(of("a: 1\nb: 2\na: 3\n"), "3:1: 'a' is there twice, first in line 1");
    assert_eq!(of("a: 1\n---\nb: 2\n"), "2:1: a second document begins here: there may be one");
    assert_eq!(of("? [a]\n: 1\n"), "1:3: a key has to be a word");
    assert_eq!(of("a: [1\n"), "1:4: unclosed bracket '['");
    assert!(of("a: b: c\n").starts_with("1:"), "{}", of("a: b: c\n"));
    assert!(of("a: *b\n").starts_with("1:4"), "{}", of("a: *b\n"));
}

#[test]
fn aliases_are_what_they_stand_for_but_no_bomb() {
    assert_eq!(spans("a: &x [1]\nb: *x\n").len(), 4);
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let items = vec![format!("*a{}", level - 1); 10].join(", ");
        text.push_str(&format!("a{level}: &a{level} [{items}]\n"));
    }
    assert_eq!(parse(&text).unwrap_err().message, "the text stands for too much");
}
