//! Which server is asked: the registry, its mirrors, by HTTPS or in the clear, through a proxy or not.

use crate::scripted::{Act, Registry, says};
use crate::support::{app, at, blob, client, rest, text};
use registry::{Credentials, HostsConfig, Proxies, Purpose, RegistryError, Target};

const DOCUMENT: &[u8] = br#"{"schemaVersion":2,"config":{},"layers":[]}"#;

fn latest() -> Target {
    Target::Tag("latest".to_owned())
}

fn mirrored(registry: &str, mirrors: &[&Registry]) -> HostsConfig {
    let mirrors = mirrors.iter().map(|mirror| format!("http://{}", mirror.host())).collect();
    HostsConfig { mirrors: [(registry.to_owned(), mirrors)].into(), ..HostsConfig::default() }
}

#[tokio::test]
async fn mirrors_are_asked_one_after_the_other_and_told_for_whom() {
    let (first, second, registry) =
        (Registry::start().await, Registry::start().await, Registry::start().await);
    first.guard(|_| Some(says(500, &[], "broken")));
    second.put("app/manifests/latest", None, DOCUMENT);
    let (digest, content) = blob(&registry, 1000);
    let client = client(mirrored(&registry.host(), &[&first, &second]));
    let repository = at(&client, &registry.host(), None, Purpose::Pull);
    repository.manifest(&latest()).await.unwrap();
    assert_eq!((first.seen().len(), second.seen().len(), registry.seen().len()), (1, 1, 0));
    assert_eq!(second.seen()[0].query, format!("ns={}", registry.host().replace(':', "%3A")));
    // A blob that no mirror has comes from the registry.
    assert_eq!(rest(&mut repository.download(&digest, Some(1000), 0)).await.unwrap(), content);
    assert_eq!(registry.seen().last().unwrap().query, "");
    // What the registry itself says is the truth.
    let gone = repository.manifest(&Target::Tag("gone".to_owned())).await.unwrap_err();
    assert!(matches!(gone, RegistryError::ManifestUnknown { .. }), "{}", text(&gone));
}

#[tokio::test]
async fn a_mirror_that_breaks_off_is_followed_by_the_registry() {
    let (mirror, registry) = (Registry::start().await, Registry::start().await);
    let (digest, content) = blob(&mirror, 300_000);
    blob(&registry, 300_000);
    let path = format!("app/blobs/{digest}");
    mirror.script("GET", &path, [Act::BreakAfter(100_000)]);
    mirror.always("GET", &path, Act::Answer(404, vec![], String::new()));
    let client = client(mirrored(&registry.host(), &[&mirror]));
    let repository = at(&client, &registry.host(), None, Purpose::Pull);
    assert!(rest(&mut repository.download(&digest, Some(300_000), 0)).await.unwrap() == content);
    assert_eq!((mirror.served(), registry.served()), (100_000, 200_000));
    // A mirror whose blob is too short has no more to give, the registry has.
    mirror.behave();
    mirror.always("GET", &path, Act::Instead(content[..1000].to_vec()));
    assert!(rest(&mut repository.download(&digest, Some(300_000), 0)).await.unwrap() == content);
}

#[tokio::test]
async fn plain_http_is_found_out_once() {
    let registry = Registry::start().await;
    registry.put("app/manifests/latest", None, DOCUMENT);
    let (digest, content) = blob(&registry, 1000);
    let client = client(HostsConfig::default());
    at(&client, &registry.host(), None, Purpose::Pull).manifest(&latest()).await.unwrap();
    // From the middle on, too, without waiting for a connection by HTTPS.
    let begun = std::time::Instant::now();
    let repository = at(&client, &registry.host(), None, Purpose::Pull);
    assert_eq!(rest(&mut repository.download(&digest, Some(1000), 400)).await.unwrap(), content[400..]);
    assert!(begun.elapsed() < std::time::Duration::from_millis(200), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn nobody_listens() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let host = listener.local_addr().unwrap().to_string();
    drop(listener);
    let begun = std::time::Instant::now();
    let error = at(&client(HostsConfig::default()), &host, None, Purpose::Pull).manifest(&latest()).await;
    let error = error.unwrap_err();
    assert_eq!(text(&error), format!("Get \"https://{host}/v2/app/manifests/latest\": connection refused"));
    assert!(
        begun.elapsed() < std::time::Duration::from_secs(2),
        "what nobody serves is not asked again and again"
    );
}

#[tokio::test]
async fn loopback_is_never_reached_through_a_proxy() {
    let (registry, proxy) = (Registry::start().await, Registry::start().await);
    registry.put("app/manifests/latest", None, DOCUMENT);
    proxy.guard(|seen| (!seen.path.is_empty()).then(|| says(200, &[("x-proxy", "1")], "")));
    let url = Some(format!("http://{}", proxy.host()));
    let proxies = Proxies { http: url.clone(), https: url, except: ".inner.example".to_owned() };
    let config = HostsConfig {
        proxies,
        insecure: vec!["plain.example".to_owned(), "r.inner.example".to_owned()],
        ..HostsConfig::default()
    };
    let client = client(config);
    at(&client, &registry.host(), None, Purpose::Pull).manifest(&latest()).await.unwrap();
    let local = format!("localhost:{}", registry.address.port());
    at(&client, &local, None, Purpose::Pull).manifest(&latest()).await.unwrap();
    assert_eq!(proxy.seen().len(), 0);
    // A registry elsewhere is: CONNECT for HTTPS, then the whole URL.
    let login = Credentials::Basic { user: "a".to_owned(), password: "b".to_owned() };
    client.login("plain.example", &login).await.unwrap();
    assert!(proxy.seen().iter().any(|seen| seen.header("host") == "plain.example"), "{:?}", proxy.seen());
    let before = proxy.seen().len();
    client.login("r.inner.example", &login).await.unwrap_err();
    assert_eq!(proxy.seen().len(), before, "an exception");
}

#[tokio::test]
async fn tags_come_in_pages_that_the_registry_names() {
    let registry = Registry::start().await;
    let page = |number: usize, tags: &str| {
        let link = format!(r#"</v2/app/tags/list?token={number}>; rel="next""#);
        says(200, &[("link", &link)], &format!(r#"{{"name":"app","tags":{tags}}}"#))
    };
    registry.guard(move |seen| match seen.query.as_str() {
        "" => Some(page(1, r#"["a","b"]"#)),
        "token=1" => Some(page(2, "null")),
        _ => Some(says(200, &[], r#"{"tags":["c"]}"#)),
    });
    assert_eq!(app(&registry, Purpose::Pull).tags().await.unwrap(), ["a", "b", "c"]);
    registry.guard(move |_| Some(page(1, r#"["a"]"#)));
    let circle = app(&registry, Purpose::Pull).tags().await.unwrap_err();
    assert!(text(&circle).ends_with("a list of tags has no end"), "{}", text(&circle));
}
