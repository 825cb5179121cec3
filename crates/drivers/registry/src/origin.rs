//! Whether two URLs are on the same server (RFC 6454): what is meant for one is not told to another.

use reqwest::Url;

/// Whether `url` is on the server of `base`: same scheme, host and port.
pub(crate) fn is_same(base: &str, url: &Url) -> bool {
    Url::parse(base).is_ok_and(|base| {
        let port = url.port_or_known_default();
        base.scheme() == url.scheme() && base.host() == url.host() && base.port_or_known_default() == port
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scheme_host_and_port_make_a_server() {
        let same = |url: &str| is_same("https://r.example/v2", &url.parse().unwrap());
        assert!(same("https://r.example:443/elsewhere?x"));
        for other in ["http://r.example/v2", "https://r.example:444/v2", "https://s.r.example/v2"] {
            assert!(!same(other), "{other}");
        }
    }
}
