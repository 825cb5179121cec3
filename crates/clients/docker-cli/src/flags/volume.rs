//! `-v [source:]target[:options]`.

use super::mount;

/// What `-v` flags come to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Volumes {
    /// Binds and named volumes, for the host configuration.
    pub(crate) binds: Vec<String>,
    /// Targets of anonymous volumes, for the configuration.
    pub(crate) anonymous: Vec<String>,
}

/// Reads all values; of equal ones each counts once.
pub(crate) fn parse(values: &[String]) -> Result<Volumes, String> {
    let mut volumes = Volumes::default();
    for value in values {
        let (source, rest) = check(value)?;
        let list = if source.is_some() { &mut volumes.binds } else { &mut volumes.anonymous };
        let text = match (source, rest) {
            (Some(source), Some(rest)) => format!("{}:{rest}", mount::absolute(source)),
            _ => value.clone(),
        };
        if !list.contains(&text) {
            list.push(text);
        }
    }
    Ok(volumes)
}

/// Splits off the source, after checking the sections.
fn check(spec: &str) -> Result<(Option<&str>, Option<&str>), String> {
    if spec.is_empty() {
        return Err("invalid empty volume spec".to_owned());
    }
    if spec.len() <= 2 {
        return Ok((None, None));
    }
    let invalid = |why: &str| format!("invalid spec: {spec}: {why}");
    // `a:` at the beginning of a section is a drive of Windows to docker, and no end of it.
    let bytes = spec.as_bytes();
    let ends: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at] == b':').collect();
    let mut sections = Vec::new();
    let mut begin = 0;
    for end in ends {
        if end - begin == 1 && bytes[begin].is_ascii_alphabetic() {
            continue;
        }
        sections.push(&spec[begin..end]);
        begin = end + 1;
    }
    sections.push(&spec[begin..]);
    if sections.iter().any(|section| section.is_empty()) {
        return Err(invalid("empty section between colons"));
    }
    if sections.len() > 3 {
        return Err(invalid("too many colons"));
    }
    Ok(match spec.split_once(':') {
        Some((source, rest)) => (Some(source), Some(rest)),
        None => (None, None),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        let here = std::env::current_dir().unwrap();
        let values = ["/a:/b:ro", "name:/c", "/anon", "./x:/d", "/anon"].map(str::to_owned);
        let volumes = parse(&values).unwrap();
        let relative = format!("{}/x:/d", here.display());
        assert_eq!(volumes.binds, ["/a:/b:ro", "name:/c", &relative]);
        assert_eq!(volumes.anonymous, ["/anon"]);
        assert_eq!(
            parse(&["aa::b".to_owned()]).unwrap_err(),
            "invalid spec: aa::b: empty section between colons"
        );
        assert_eq!(
            parse(&["/a:/b:ro:x".to_owned()]).unwrap_err(),
            "invalid spec: /a:/b:ro:x: too many colons"
        );
    }
}
