//! `--gpus`: a request for devices by number, id or capability.

use super::{csv, env};
use serde_json::{Value, json};

/// For clap.
pub(crate) fn parse(text: &str) -> Result<Value, String> {
    let mut seen: Vec<String> = Vec::new();
    let mut request =
        json!({"Driver": "", "Count": 0, "DeviceIDs": null, "Capabilities": [["gpu"]], "Options": {}});
    for field in csv::fields(text)? {
        let (key, value) = field.split_once('=').map_or((field.as_str(), None), |(k, v)| (k, Some(v)));
        if seen.iter().any(|known| known == key) {
            return Err(format!("gpu request key '{key}' can be specified only once"));
        }
        seen.push(key.to_owned());
        let Some(value) = value else {
            seen.push("count".to_owned());
            request["Count"] = json!(count(key)?);
            continue;
        };
        let words = || value.split(',').map(str::to_owned).collect::<Vec<_>>();
        match key {
            "driver" => request["Driver"] = json!(value),
            "count" => request["Count"] = json!(count(value)?),
            "device" => request["DeviceIDs"] = json!(words()),
            "capabilities" => {
                let mut capabilities = words();
                capabilities.push("gpu".to_owned());
                request["Capabilities"] = json!([capabilities]);
            }
            "options" => {
                let options =
                    csv::fields(value).map_err(|why| format!("failed to read gpu options: {why}"))?;
                request["Options"] = json!(env::map(&options));
            }
            _ => return Err(format!("unexpected key '{key}' in '{field}'")),
        }
    }
    if !seen.iter().any(|key| key == "count") && request["DeviceIDs"].is_null() {
        request["Count"] = json!(1);
    }
    Ok(request)
}

fn count(text: &str) -> Result<i64, String> {
    if text == "all" {
        return Ok(-1);
    }
    text.parse().map_err(|_| {
        format!("invalid count ({text}): value must be either \"all\" or an integer: invalid syntax")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests() {
        assert_eq!(parse("all").unwrap()["Count"], -1);
        assert_eq!(parse("2").unwrap()["Count"], 2);
        let request = parse("\"device=0,1\",capabilities=compute").unwrap();
        assert_eq!(request["DeviceIDs"], json!(["0", "1"]));
        assert_eq!(request["Capabilities"], json!([["compute", "gpu"]]));
        assert_eq!(request["Count"], 0);
        assert!(parse("x").unwrap_err().starts_with("invalid count (x)"));
        assert_eq!(parse("a=b").unwrap_err(), "unexpected key 'a' in 'a=b'");
    }
}
