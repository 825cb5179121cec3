//! `--restart no|always|unless-stopped|on-failure[:n]`.

use serde_json::{Value, json};

/// The API's policy object. Which names exist is for the daemon to say.
pub(crate) fn parse(text: &str) -> Result<Value, String> {
    let (name, count) = text.split_once(':').map_or((text, None), |(name, count)| (name, Some(count)));
    if count.is_some() && name.is_empty() {
        return Err("invalid restart policy format: no policy provided before colon".to_owned());
    }
    let retries: i64 = match count {
        None | Some("") => 0,
        Some(count) => count.parse().map_err(|_| {
            "invalid restart policy format: maximum retry count must be an integer".to_owned()
        })?,
    };
    Ok(json!({"Name": name, "MaximumRetryCount": retries}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies() {
        assert_eq!(parse("on-failure:3").unwrap(), json!({"Name": "on-failure", "MaximumRetryCount": 3}));
        assert_eq!(parse("").unwrap()["Name"], "");
        assert!(parse(":3").unwrap_err().ends_with("before colon"));
        assert!(parse("on-failure:x").unwrap_err().ends_with("must be an integer"));
    }
}
