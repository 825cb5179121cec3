//! Flags of `registry serve` and what its verbs have in common.

use crate::log::{Level, LogFormat};
use clap::{Args, Parser};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// What a registry and its token service are called in tokens.
const NAME: &str = "container-runtime registry";

/// Serve a registry of images.
#[derive(Debug, Parser)]
#[command(disable_version_flag = true)]
pub(super) struct Serve {
    /// Address to listen on; port 0 is any free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:5000", value_parser = config::listen_address)]
    pub(super) listen: SocketAddr,
    #[command(flatten)]
    pub(super) storage: Storage,
    #[command(flatten)]
    pub(super) tls: Tls,
    #[command(flatten)]
    pub(super) access: Access,
    #[command(flatten)]
    pub(super) mirror: Mirror,
    /// How often to delete what no image needs; 0 for never
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = time)]
    pub(super) gc_interval: Duration,
    /// Whether that includes manifests without a tag
    #[arg(long)]
    pub(super) gc_untagged: bool,
    /// Connections at a time; further ones wait until one of these ends
    #[arg(long, value_name = "NUMBER", default_value_t = registry_api::DEFAULT_CONNECTIONS)]
    pub(super) max_connections: usize,
    /// Least level that is logged
    #[arg(short = 'l', long, value_name = "LEVEL", default_value = "info")]
    pub(super) log_level: Level,
    /// Form of the log
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(super) log_format: LogFormat,
}

/// Where the images are.
#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct Storage {
    /// Directory of the registry, or a bucket: s3://BUCKET/PREFIX?endpoint=URL&region=NAME, with AWS_ACCESS_KEY_ID and
    /// AWS_SECRET_ACCESS_KEY in the environment
    #[arg(long, value_name = "PLACE")]
    pub(super) storage: PathBuf,
    /// Directory of its own for uploads in progress into a bucket, which must survive a restart
    #[arg(long, value_name = "DIR")]
    pub(super) spool: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct Tls {
    /// Certificate of the server and those above it, PEM: serve with TLS
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(super) tls_certificate: Option<PathBuf>,
    /// Private key of the server, PEM
    #[arg(long, value_name = "FILE", requires = "tls_certificate")]
    pub(super) tls_key: Option<PathBuf>,
    /// Let in only clients with a certificate of these authorities, PEM
    #[arg(long, value_name = "FILE", requires = "tls_certificate")]
    pub(super) tls_client_ca: Option<PathBuf>,
    /// Something in front of this server ends TLS: clients are told https addresses
    #[arg(long)]
    pub(super) behind_tls: bool,
}

#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct Access {
    /// File of users (see registry user add, or htpasswd -B): without it, everybody may do everything
    #[arg(long, value_name = "FILE")]
    pub(super) htpasswd: Option<PathBuf>,
    /// Everybody may pull
    #[arg(long)]
    pub(super) anonymous_pull: bool,
    /// User who may only pull (may be repeated)
    #[arg(long, value_name = "USER")]
    pub(super) read_only: Vec<String>,
    /// Give the users tokens at /auth/token, instead of asking for passwords with each request
    #[arg(long, requires = "htpasswd")]
    pub(super) token: bool,
    /// Key that signs these tokens; made if it does not exist, by default in the storage directory
    #[arg(long, value_name = "FILE", requires = "token")]
    pub(super) token_key: Option<PathBuf>,
    /// URL where clients get tokens, of another service or as it reaches this one
    #[arg(long, value_name = "URL")]
    pub(super) token_realm: Option<String>,
    /// What this registry is called in tokens
    #[arg(long, value_name = "NAME", default_value = NAME)]
    pub(super) token_service: String,
    /// What the token service is called in tokens
    #[arg(long, value_name = "NAME", default_value = NAME)]
    pub(super) token_issuer: String,
    /// Certificates whose keys, or whose authority, sign another service's tokens, PEM
    #[arg(long, value_name = "FILE", requires = "token_realm", conflicts_with_all = ["htpasswd", "token_jwks"])]
    pub(super) token_certificates: Option<PathBuf>,
    /// Keys that sign another service's tokens, JWKS
    #[arg(long, value_name = "FILE", requires = "token_realm", conflicts_with = "htpasswd")]
    pub(super) token_jwks: Option<PathBuf>,
}

#[derive(Debug, Default, Args)]
#[group(skip)]
pub(super) struct Mirror {
    /// Registry to fetch from and to keep what comes, as docker.io or http://HOST:PORT; then nobody can push (may be
    /// repeated: the first is meant unless a client says which)
    #[arg(long, value_name = "REGISTRY")]
    pub(super) mirror_of: Vec<String>,
    /// How often, at most, to ask what a tag means there
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = time)]
    pub(super) mirror_ttl: Duration,
    /// File of names and passwords for these registries, as docker login writes it: whoever may pull here pulls with them
    #[arg(long, value_name = "FILE", requires = "mirror_of")]
    pub(super) mirror_credentials: Option<PathBuf>,
}

/// As the flags' defaults.
impl Default for Access {
    fn default() -> Self {
        Self {
            htpasswd: None,
            anonymous_pull: false,
            read_only: Vec::new(),
            token: false,
            token_key: None,
            token_realm: None,
            token_service: NAME.to_owned(),
            token_issuer: NAME.to_owned(),
            token_certificates: None,
            token_jwks: None,
        }
    }
}

/// Delete what no image in a registry needs; not while somebody serves it.
#[derive(Debug, Parser)]
#[command(disable_version_flag = true)]
pub(super) struct Collect {
    #[command(flatten)]
    pub(super) storage: Storage,
    /// Only say what would be deleted
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Also delete manifests without a tag
    #[arg(long)]
    pub(super) untagged: bool,
    /// Delete nothing younger than this
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = time)]
    pub(super) grace: Duration,
}

/// Add a user to a file of users, or change the password, which is read from standard input.
#[derive(Debug, Parser)]
#[command(disable_version_flag = true)]
pub(super) struct AddUser {
    /// File of users
    #[arg(long, value_name = "FILE")]
    pub(super) htpasswd: PathBuf,
    /// Name of the user
    pub(super) name: String,
}

/// `90s`, `15m`, `24h`, `7d`, or seconds.
fn time(text: &str) -> Result<Duration, String> {
    let (number, unit) = match text.char_indices().last() {
        Some((at, unit)) if unit.is_ascii_alphabetic() => (&text[..at], unit),
        _ => (text, 's'),
    };
    let scale = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        _ => return Err("write a number and s, m, h or d".to_owned()),
    };
    let number: u64 = number.parse().map_err(|_| "write a number and s, m, h or d".to_owned())?;
    Ok(Duration::from_secs(number.saturating_mul(scale)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units() {
        assert_eq!(time("15m"), Ok(Duration::from_secs(900)));
        assert_eq!(time("0"), Ok(Duration::ZERO));
        for bad in ["", "h", "1w", "-1s", "1.5h"] {
            assert!(time(bad).is_err(), "{bad}");
        }
    }

    /// Every command line of `registry` on the page about registries, without its quotes.
    #[test]
    fn the_lines_of_the_documentation_are_understood() {
        let page = include_str!("../../../../../docs/registries.md");
        let mut understood = 0;
        for line in page.lines().filter_map(|line| line.split("container-runtime registry ").nth(1)) {
            let words: Vec<_> = line.split_whitespace().map(|word| word.trim_matches('\'')).collect();
            let parsed = match words[0] {
                "serve" => Serve::try_parse_from(&words).map(drop),
                "gc" => Collect::try_parse_from(&words).map(drop),
                "user" => AddUser::try_parse_from(&words[1..]).map(drop),
                _ => continue,
            };
            parsed.unwrap_or_else(|error| panic!("{line}: {error}"));
            understood += 1;
        }
        assert!(understood > 10, "{understood}");
    }
}
