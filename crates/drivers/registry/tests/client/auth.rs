//! Proving who one is: passwords, tokens, and who gets to see them.

use crate::scripted::{Registry, Seen, says};
use crate::support::{app, app_as, at, blob, client, rest, sha256, text, user};
use axum::body::Body;
use axum::http::Response;
use registry::{Credentials, HostsConfig, Purpose, RegistryError, Target};
use std::collections::HashSet;
use std::sync::{Arc, Mutex};

const DOCUMENT: &[u8] = br#"{"schemaVersion":2,"config":{},"layers":[]}"#;
/// `a:b`.
const BASIC: &str = "Basic YTpi";

fn with_manifest(registry: &Registry) {
    registry.put("app/manifests/latest", None, DOCUMENT);
}

fn latest() -> Target {
    Target::Tag("latest".to_owned())
}

/// A token service at `/token`, and a registry that takes its tokens.
fn tokens(registry: &Registry, challenge: &str) -> Arc<Mutex<HashSet<String>>> {
    let valid: Arc<Mutex<HashSet<String>>> = Arc::default();
    let (known, host, challenge) = (Arc::clone(&valid), registry.host(), challenge.to_owned());
    registry.guard(move |seen| {
        let mut known = known.lock().unwrap();
        if seen.path == "/token" {
            let token = format!("t{}", known.len() + 1);
            known.insert(token.clone());
            return Some(issue(seen, &token));
        }
        let token = seen.header("authorization").strip_prefix("Bearer ");
        if token.is_some_and(|token| known.contains(token)) {
            return None;
        }
        let challenge = challenge.replace("HOST", &host);
        Some(says(401, &[("www-authenticate", &challenge)], ""))
    });
    valid
}

/// Everybody gets one, but for those with the wrong password.
fn issue(seen: &Seen, token: &str) -> Response<Body> {
    let body = String::from_utf8_lossy(&seen.body).into_owned();
    match seen.header("authorization") {
        "" | BASIC if !body.contains("refresh_token=wrong") => {
            says(200, &[], &format!(r#"{{"token":"{token}","expires_in":60}}"#))
        }
        _ => says(401, &[], r#"{"details":"incorrect username or password"}"#),
    }
}

const BEARER: &str = r#"Bearer realm="http://HOST/token",service="s e",scope="repository:app:pull""#;

#[tokio::test]
async fn a_password_is_given_when_it_is_asked_for() {
    let registry = Registry::start().await;
    with_manifest(&registry);
    registry.guard(|seen| {
        (seen.header("authorization") != BASIC)
            .then(|| says(401, &[("www-authenticate", "Basic realm=x")], ""))
    });
    let repository = app_as(&registry, user("a", "b"), Purpose::Pull);
    repository.manifest(&latest()).await.unwrap();
    repository.manifest(&latest()).await.unwrap();
    assert_eq!(registry.count("GET", "/manifests/"), 3, "it is given unasked from the second request on");
    let without = app(&registry, Purpose::Pull).manifest(&latest()).await.unwrap_err();
    assert!(matches!(without, RegistryError::NoCredentials { .. }), "{}", text(&without));
    let before = registry.seen().len();
    let wrong = app_as(&registry, user("a", "c"), Purpose::Pull).manifest(&latest()).await.unwrap_err();
    assert!(matches!(wrong, RegistryError::Denied { .. }), "{}", text(&wrong));
    assert_eq!(registry.seen().len() - before, 2, "a wrong password is not tried again");
}

#[tokio::test]
async fn a_token_is_fetched_once_and_renewed_when_it_is_refused() {
    let registry = Registry::start().await;
    with_manifest(&registry);
    let valid = tokens(&registry, BEARER);
    let repository = app_as(&registry, user("a", "b"), Purpose::Pull);
    for _ in 0..3 {
        repository.manifest(&latest()).await.unwrap();
    }
    let asked: Vec<Seen> = registry.seen().into_iter().filter(|seen| seen.path == "/token").collect();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].header("authorization"), BASIC);
    let query = "service=s+e&scope=repository%3Aapp%3Apull&account=a&client_id=container-runtime";
    assert_eq!(asked[0].query, query);
    valid.lock().unwrap().remove("t1");
    valid.lock().unwrap().insert("other".to_owned());
    repository.manifest(&latest()).await.unwrap();
    assert_eq!(registry.count("GET", "/token"), 2);
    let wrong = app_as(&registry, user("a", "c"), Purpose::Pull).manifest(&latest()).await.unwrap_err();
    assert!(text(&wrong).ends_with("unauthorized: incorrect username or password"), "{}", text(&wrong));
}

#[tokio::test]
async fn a_refresh_token_is_changed_for_a_token_of_access() {
    let registry = Registry::start().await;
    with_manifest(&registry);
    tokens(&registry, BEARER);
    let identity = |token: &str| Some(Credentials::IdentityToken(token.to_owned()));
    app_as(&registry, identity("r"), Purpose::Pull).manifest(&latest()).await.unwrap();
    let asked = registry.seen().into_iter().find(|seen| seen.path == "/token").unwrap();
    assert_eq!(asked.method, "POST");
    let body = "grant_type=refresh_token&service=s+e&client_id=container-runtime&\
                scope=repository%3Aapp%3Apull&refresh_token=r";
    assert_eq!(asked.body, body);
    let wrong = app_as(&registry, identity("wrong"), Purpose::Pull).manifest(&latest()).await.unwrap_err();
    assert!(matches!(wrong, RegistryError::Unauthorized { .. }), "{}", text(&wrong));
    let given = Some(Credentials::RegistryToken("t1".to_owned()));
    app_as(&registry, given, Purpose::Pull).manifest(&latest()).await.unwrap();
}

#[tokio::test]
async fn a_scope_that_does_not_suffice_is_widened_by_what_the_registry_says() {
    let registry = Registry::start().await;
    with_manifest(&registry);
    let host = registry.host();
    registry.guard(move |seen| {
        if seen.path == "/token" {
            let wide = seen.query.contains("more");
            return Some(says(200, &[], if wide { r#"{"access_token":"wide"}"# } else { r#"{"token":"narrow"}"# }));
        }
        let challenge = match seen.header("authorization") {
            "Bearer wide" => return None,
            "" => format!(r#"Bearer realm="http://{host}/token""#),
            _ => format!(r#"Bearer realm="http://{host}/token",scope="repository:more:pull",error="insufficient_scope""#),
        };
        Some(says(401, &[("www-authenticate", &challenge)], ""))
    });
    let repository = app(&registry, Purpose::Pull);
    // The first token is refused with another scope; from then on that is known.
    let first = repository.manifest(&latest()).await;
    assert!(first.is_ok() || repository.manifest(&latest()).await.is_ok(), "{first:?}");
}

#[tokio::test]
async fn of_two_ways_the_token_is_taken() {
    let registry = Registry::start().await;
    with_manifest(&registry);
    tokens(&registry, &format!("Basic realm=x, {BEARER}"));
    app_as(&registry, user("a", "b"), Purpose::Pull).manifest(&latest()).await.unwrap();
    assert!(
        registry
            .seen()
            .iter()
            .filter(|seen| seen.path != "/token")
            .all(|seen| { !seen.header("authorization").starts_with("Basic") })
    );
}

#[tokio::test]
async fn a_token_that_expires_before_an_upload_is_renewed() {
    let registry = Registry::start().await;
    let valid = tokens(&registry, BEARER);
    let repository = app_as(&registry, user("a", "b"), Purpose::Push);
    let content = vec![7; 300_000];
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &content).unwrap();
    let source = registry::Source::File(file.path().to_owned());
    // The token dies when the body is about to be sent.
    let host = registry.host();
    let dying = Mutex::new(true);
    registry.guard(move |seen| {
        let mut known = valid.lock().unwrap();
        if seen.path == "/token" {
            let token = format!("n{}", known.len());
            known.insert(token.clone());
            return Some(issue(seen, &token));
        }
        let token = seen.header("authorization").strip_prefix("Bearer ").unwrap_or_default().to_owned();
        if seen.method == "PUT" && std::mem::take(&mut *dying.lock().unwrap()) {
            known.remove(&token);
            known.insert("gone".to_owned());
        }
        let challenge = BEARER.replace("HOST", &host);
        (!known.contains(&token)).then(|| says(401, &[("www-authenticate", &challenge)], ""))
    });
    let digest = sha256(&content);
    let done = repository.upload(&digest, 300_000, &source, None, Arc::new(|_| {})).await.unwrap();
    assert_eq!(done, registry::Uploaded::Sent);
    assert!(registry.content(&format!("app/blobs/{digest}")).is_some_and(|bytes| bytes == content));
}

#[tokio::test]
async fn neither_password_nor_token_follow_a_redirect() {
    let (registry, other) = (Registry::start().await, Registry::start().await);
    let (digest, content) = blob(&other, 1000);
    let (elsewhere, trap) = (other.host(), other.host());
    registry.guard(move |seen| {
        if seen.header("authorization") != BASIC {
            return Some(says(401, &[("www-authenticate", "Basic realm=x")], ""));
        }
        Some(says(307, &[("location", &format!("http://{elsewhere}{}", seen.path))], ""))
    });
    let repository = app_as(&registry, user("a", "b"), Purpose::Pull);
    assert_eq!(rest(&mut repository.download(&digest, Some(1000), 0)).await.unwrap(), content);
    // It asks for them, and names a place to send them to.
    other.guard(move |_| {
        let challenge = format!(r#"Bearer realm="http://{trap}/token", Basic realm=y"#);
        Some(says(401, &[("www-authenticate", &challenge)], ""))
    });
    let error = rest(&mut repository.download(&digest, Some(1000), 0)).await.unwrap_err();
    assert!(matches!(error, RegistryError::Denied { .. }), "{}", text(&error));
    assert_eq!(other.count("GET", "/token"), 0);
    assert!(other.seen().iter().all(|seen| seen.header("authorization").is_empty()));
}

#[tokio::test]
async fn a_mirror_does_not_get_the_registrys_password() {
    let (registry, mirror) = (Registry::start().await, Registry::start().await);
    with_manifest(&registry);
    for one in [&registry, &mirror] {
        one.guard(|seen| {
            let challenge = [("www-authenticate", "Basic realm=x")];
            (seen.header("authorization") != BASIC).then(|| says(401, &challenge, ""))
        });
    }
    let config = HostsConfig {
        mirrors: [(registry.host(), vec![format!("http://{}", mirror.host())])].into(),
        ..HostsConfig::default()
    };
    let repository = at(&client(config), &registry.host(), user("a", "b"), Purpose::Pull);
    repository.manifest(&latest()).await.unwrap();
    assert_eq!(mirror.seen().len(), 1);
    assert!(mirror.seen().iter().all(|seen| seen.header("authorization").is_empty()));
}

#[tokio::test]
async fn a_registry_in_the_place_of_another_does_not_get_its_password() {
    let stand_in = Registry::start().await;
    with_manifest(&stand_in);
    stand_in.guard(|seen| {
        let challenge = [("www-authenticate", "Basic realm=x")];
        (seen.header("authorization") != BASIC).then(|| says(401, &challenge, ""))
    });
    let rewrites = [("registry.example".to_owned(), stand_in.host())].into();
    let config = HostsConfig { rewrites, ..HostsConfig::default() };
    let repository = at(&client(config), "registry.example", user("a", "b"), Purpose::Pull);
    let error = repository.manifest(&latest()).await.unwrap_err();
    assert!(
        matches!(error, RegistryError::NoCredentials { .. } | RegistryError::Denied { .. }),
        "{}",
        text(&error)
    );
    assert!(!stand_in.seen().is_empty());
    assert!(stand_in.seen().iter().all(|seen| seen.header("authorization").is_empty()));
}

#[tokio::test]
async fn headers_for_one_server_are_not_told_to_others() {
    let (registry, other) = (Registry::start().await, Registry::start().await);
    let (digest, content) = blob(&other, 1000);
    let elsewhere = other.host();
    registry.guard(move |seen| {
        assert_eq!(seen.header("private-token"), "secret");
        let location = format!("http://{elsewhere}{}", seen.path);
        Some(says(307, &[("location", &location)], ""))
    });
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().join(registry.host().replace(':', "_") + "_");
    for place in [place, directory.path().join(registry.host())] {
        std::fs::create_dir_all(&place).unwrap();
        let text = format!("server = \"http://{}\"\n[header]\nprivate-token = \"secret\"\n", registry.host());
        std::fs::write(place.join("hosts.toml"), text).unwrap();
    }
    let config = HostsConfig { directories: vec![directory.path().to_owned()], ..HostsConfig::default() };
    let repository = at(&client(config), &registry.host(), None, Purpose::Pull);
    assert_eq!(rest(&mut repository.download(&digest, Some(1000), 0)).await.unwrap(), content);
    assert!(
        !other.seen().is_empty() && other.seen().iter().all(|seen| seen.header("private-token").is_empty())
    );
}

#[tokio::test]
async fn a_login_is_tried_out() {
    let registry = Registry::start().await;
    let client = client(HostsConfig::default());
    let login = async |name: &str, password: &str| {
        client.login(&registry.host(), &user(name, password).unwrap()).await
    };
    assert_eq!(login("a", "b").await.unwrap().status, "Login Succeeded", "a registry that asks for nothing");
    registry.guard(|seen| {
        (seen.header("authorization") != BASIC)
            .then(|| says(401, &[("www-authenticate", "Basic realm=x")], ""))
    });
    login("a", "b").await.unwrap();
    assert!(matches!(login("a", "c").await, Err(RegistryError::Unauthorized { .. })));
    tokens(&registry, BEARER);
    login("a", "b").await.unwrap();
    login("a", "b").await.unwrap();
    assert_eq!(registry.count("GET", "/token"), 2, "what was right a minute ago is tried again");
    assert!(matches!(login("a", "c").await, Err(RegistryError::Unauthorized { .. })));
}

#[tokio::test]
async fn a_login_brings_the_identity_token_that_the_service_gives() {
    let registry = Registry::start().await;
    let host = registry.host();
    registry.guard(move |seen| match seen.path.as_str() {
        "/token" => {
            assert!(seen.query.contains("offline_token=true"), "{}", seen.query);
            Some(says(200, &[], r#"{"token":"t","refresh_token":"lasting"}"#))
        }
        _ if seen.header("authorization") == "Bearer t" => None,
        _ => {
            let challenge = format!(r#"Bearer realm="http://{host}/token",service="s""#);
            Some(says(401, &[("www-authenticate", &challenge)], ""))
        }
    });
    let client = client(HostsConfig::default());
    let accepted = client.login(&registry.host(), &user("a", "b").unwrap()).await.unwrap();
    assert_eq!(accepted.identity_token.as_deref(), Some("lasting"));
}
