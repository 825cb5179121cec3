//! What is wrong in the registry that the engine serves, in words for whoever has to decide what to do.

use images::Finding;
use repositories::{Flaw, Trouble};

/// A flaw in words. What a mirror has lost it fetches again.
pub(super) fn finding(flaw: Flaw, is_mirror: bool) -> Finding {
    let (kind, thing, problem) = words(&flaw.trouble);
    let again = push_again(&flaw.images);
    let content = matches!(flaw.trouble, Trouble::Missing { .. } | Trouble::Damaged { .. });
    let damaged = matches!(flaw.trouble, Trouble::Damaged { .. });
    let remedy = match (content, is_mirror) {
        (true, true) => "put it aside, to be fetched again when somebody asks for it".to_owned(),
        (true, false) => format!("take it from the engine's own store, if that has it; else {again}"),
        (false, _) => again.clone(),
    };
    let outcome = match (flaw.mended, is_mirror) {
        (None, _) => None,
        (Some(true), true) => Some("put aside; it is fetched again when somebody asks for it".to_owned()),
        (Some(true), false) => Some("taken from the engine's own store".to_owned()),
        (Some(false), _) if damaged => {
            Some(format!("put aside, so that nobody gets it; the engine has no other: {again}"))
        }
        (Some(false), _) => Some(again),
    };
    Finding { kind, thing, images: flaw.images, problem, remedy, repaired: flaw.mended, outcome }
}

fn push_again(images: &[String]) -> String {
    if images.is_empty() {
        "it is of no image yet".to_owned()
    } else {
        format!("push {} again", images.join(", "))
    }
}

fn words(trouble: &Trouble) -> (&'static str, String, String) {
    const BLOB: &str = "registry's blob";
    const MANIFEST: &str = "registry's manifest";
    const TAG: &str = "registry's tag";
    match trouble {
        Trouble::Missing { digest } => (BLOB, digest.to_string(), "is not there".to_owned()),
        Trouble::Damaged { digest, reason } => (BLOB, digest.to_string(), format!("is damaged: {reason}")),
        Trouble::Unreadable { manifest, reason } => {
            (MANIFEST, manifest.to_string(), format!("cannot be read: {reason}"))
        }
        Trouble::Incomplete { manifest, part } => {
            (MANIFEST, manifest.to_string(), format!("names {part}, which its repository has not"))
        }
        Trouble::Dangling { repository, tag, manifest } => (
            TAG,
            format!("{repository}:{tag}"),
            format!("means manifest {manifest}, which its repository has not"),
        ),
        Trouble::TagUnreadable { repository, tag } => {
            (TAG, format!("{repository}:{tag}"), "does not say what it means".to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use oci::Digest;

    fn damaged(mended: Option<bool>, is_mirror: bool) -> Finding {
        let trouble = Trouble::Damaged { digest: Digest::sha256([0; 32]), reason: "x".to_owned() };
        finding(Flaw { trouble, images: vec!["a:1".to_owned(), "b:2".to_owned()], mended }, is_mirror)
    }

    #[test]
    fn whoever_has_to_push_again_is_told_what() {
        let found = damaged(None, false);
        assert_eq!(found.outcome, None);
        assert!(found.remedy.ends_with("else push a:1, b:2 again"), "{}", found.remedy);
        assert!(damaged(Some(false), false).outcome.unwrap().ends_with("push a:1, b:2 again"));
        assert!(!damaged(Some(true), false).outcome.unwrap().contains("push"));
        assert!(!damaged(Some(true), true).outcome.unwrap().contains("push"));
    }
}
