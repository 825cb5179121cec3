//! Proxies, as the environment names them for most programs. What is on this machine is never reached through one.

use reqwest::{ClientBuilder, NoProxy, Proxy};

/// Never asked of a proxy: to it, this machine would be its own.
const LOOPBACK: &str = "localhost,127.0.0.0/8,::1";

/// Where requests go through. Its default is none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proxies {
    /// URL of the one for plain HTTP.
    pub http: Option<String>,
    /// URL of the one for HTTPS.
    pub https: Option<String>,
    /// Hosts, domains and networks that are reached directly, with commas between.
    pub except: String,
}

impl Proxies {
    /// `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`, also in small letters.
    pub fn from_environment() -> Self {
        let first = |names: &[&str]| {
            let mut values = names.iter().filter_map(|name| std::env::var(name).ok());
            values.find(|value| !value.is_empty())
        };
        Self {
            http: first(&["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"]),
            https: first(&["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]),
            except: first(&["NO_PROXY", "no_proxy"]).unwrap_or_default(),
        }
    }

    pub(crate) fn apply(&self, builder: ClientBuilder) -> reqwest::Result<ClientBuilder> {
        let except = || NoProxy::from_string(&format!("{LOOPBACK},{}", self.except));
        let mut builder = builder.no_proxy();
        if let Some(url) = &self.http {
            builder = builder.proxy(Proxy::http(url.as_str())?.no_proxy(except()));
        }
        if let Some(url) = &self.https {
            builder = builder.proxy(Proxy::https(url.as_str())?.no_proxy(except()));
        }
        Ok(builder)
    }
}
