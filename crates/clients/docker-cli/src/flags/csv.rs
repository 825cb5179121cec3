//! One line of comma separated values with quotes, as `--mount`, `--network` and `--gpus` take them (RFC 4180).

/// The fields of `line`.
pub(crate) fn fields(line: &str) -> Result<Vec<String>, String> {
    let mut fields = Vec::new();
    let mut rest = line;
    loop {
        if let Some(quoted) = rest.strip_prefix('"') {
            let (field, after) = quoted_field(line, quoted)?;
            fields.push(field);
            match after.strip_prefix(',') {
                Some(next) => rest = next,
                None => return Ok(fields),
            }
            continue;
        }
        let (field, next) = rest.split_once(',').map_or((rest, None), |(field, next)| (field, Some(next)));
        if let Some(at) = field.find('"') {
            let column = line.len() - rest.len() + at + 1;
            return Err(format!("parse error on line 1, column {column}: bare \" in non-quoted field"));
        }
        fields.push(field.to_owned());
        match next {
            Some(next) => rest = next,
            None => return Ok(fields),
        }
    }
}

/// Reads up to the closing quote; `""` is a quote.
fn quoted_field<'l>(line: &str, mut rest: &'l str) -> Result<(String, &'l str), String> {
    let mut field = String::new();
    loop {
        let Some((part, after)) = rest.split_once('"') else {
            let column = line.len() + 1;
            return Err(format!(
                "parse error on line 1, column {column}: extraneous or missing \" in quoted-field"
            ));
        };
        field.push_str(part);
        match after.strip_prefix('"') {
            Some(more) => {
                field.push('"');
                rest = more;
            }
            None if after.is_empty() || after.starts_with(',') => return Ok((field, after)),
            None => {
                let column = line.len() - after.len();
                return Err(format!(
                    "parse error on line 1, column {column}: extraneous or missing \" in quoted-field"
                ));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_hold_commas_and_quotes() {
        assert_eq!(
            fields("a=1,\"b=2,3\",c=\"").unwrap_err(),
            "parse error on line 1, column 15: bare \" in non-quoted field"
        );
        assert_eq!(fields(r#"a,"b,c","d""e""#).unwrap(), ["a", "b,c", "d\"e"]);
        assert_eq!(fields("").unwrap(), [""]);
        assert!(fields("\"open").is_err());
    }
}
