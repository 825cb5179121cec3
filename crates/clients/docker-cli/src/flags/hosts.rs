//! `--add-host`, `--dns`, `--dns-search`, `--link`, `--mac-address`: names and addresses.

use std::net::IpAddr;

/// An address in its normal form.
pub(crate) fn address(text: &str) -> Result<String, String> {
    text.trim()
        .parse::<IpAddr>()
        .map(|address| address.to_string())
        .map_err(|_| format!("IP address is not correctly formatted: {text}"))
}

/// `name:ip`, `name=ip`, `name:[v6]` or `name:host-gateway`, in the form that the API takes.
pub(crate) fn extra(text: &str) -> Result<String, String> {
    let bad = || format!("bad format for add-host: {text:?}");
    let (name, value) = text.split_once('=').or_else(|| text.split_once(':')).ok_or_else(bad)?;
    if name.is_empty() || name.contains(':') {
        return Err(bad());
    }
    if value == "host-gateway" {
        return Ok(format!("{name}:{value}"));
    }
    let value =
        value.strip_prefix('[').and_then(|v| v.strip_suffix(']')).filter(|v| !v.is_empty()).unwrap_or(value);
    if value.trim().parse::<IpAddr>().is_err() {
        return Err(format!("invalid IP address in add-host: {value:?}"));
    }
    Ok(format!("{name}:{value}"))
}

/// A search domain; `.` stands for none.
pub(crate) fn domain(text: &str) -> Result<String, String> {
    let trimmed = text.trim_matches(' ');
    if trimmed == "." {
        return Ok(trimmed.to_owned());
    }
    let bare = trimmed.trim_end().trim_end_matches('.');
    let label = |label: &str| {
        let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
        let inner = label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        inner && edge(label.chars().next()) && edge(label.chars().next_back())
    };
    let valid = bare.len() < 255
        && bare.contains(|c: char| c.is_ascii_alphabetic())
        && bare.split('.').all(|part| label(part.trim_start_matches(':')));
    if valid { Ok(bare.to_owned()) } else { Err(format!("{trimmed} is not a valid domain")) }
}

/// `container` or `container:alias`.
pub(crate) fn link(text: &str) -> Result<String, String> {
    if text.is_empty() {
        return Err("empty string specified for links".to_owned());
    }
    if text.split(':').count() > 2 {
        return Err(format!("bad format for links: {text}"));
    }
    Ok(text.to_owned())
}

/// Whether Go's `net.ParseMAC` takes it: 6, 8 or 20 bytes in hex, with `:`, `-` or `.` between.
pub(crate) fn is_mac(text: &str) -> bool {
    let hex = |part: &str, digits: usize| part.len() == digits && part.bytes().all(|b| b.is_ascii_hexdigit());
    let grouped = |separator: char, digits: usize, counts: [usize; 3]| {
        let parts: Vec<&str> = text.split(separator).collect();
        counts.contains(&parts.len()) && parts.iter().all(|part| hex(part, digits))
    };
    grouped(':', 2, [6, 8, 20]) || grouped('-', 2, [6, 8, 20]) || grouped('.', 4, [3, 4, 10])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_addresses() {
        assert_eq!(extra("a:1.2.3.4").unwrap(), "a:1.2.3.4");
        assert_eq!(extra("a=[::1]").unwrap(), "a:::1");
        assert_eq!(extra("a:host-gateway").unwrap(), "a:host-gateway");
        assert_eq!(extra("a").unwrap_err(), "bad format for add-host: \"a\"");
        assert_eq!(extra("a:b").unwrap_err(), "invalid IP address in add-host: \"b\"");
        assert_eq!(address(" 0:0::1 ").unwrap(), "::1");
        assert_eq!(domain("Example.com.").unwrap(), "Example.com");
        assert_eq!(domain("1.2").unwrap_err(), "1.2 is not a valid domain");
        assert!(is_mac("92:d0:c6:0a:29:33") && !is_mac("92:d0:c6:0a:29") && is_mac("92d0.c60a.2933"));
    }
}
