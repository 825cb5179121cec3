//! Where a repository is looked for, by each source of configuration.

use super::*;
use std::fs;

fn places(config: &HostsConfig, name: &str, purpose: Purpose) -> Vec<String> {
    let found = Hosts::new(config.clone()).endpoints(&name.parse().unwrap(), purpose).unwrap();
    found.iter().map(|endpoint| format!("{}/{}", endpoint.base, endpoint.path)).collect()
}

#[test]
fn without_configuration_a_name_says_it_all() {
    let none = HostsConfig::default();
    assert_eq!(places(&none, "busybox", Purpose::Pull), ["https://registry-1.docker.io/v2/library/busybox"]);
    assert_eq!(places(&none, "h.example/a/b", Purpose::Pull), ["https://h.example/v2/a/b"]);
    for local in ["localhost:5000", "127.0.0.1:5000", "127.9.9.9:1"] {
        let expected = [format!("https://{local}/v2/x"), format!("http://{local}/v2/x")];
        assert_eq!(places(&none, &format!("{local}/x"), Purpose::Push), expected);
    }
    let some = HostsConfig { insecure: vec!["10.0.0.0/8".into(), "plain.example".into()], ..none };
    assert_eq!(places(&some, "10.1.2.3:5000/x", Purpose::Pull).len(), 2);
    assert_eq!(places(&some, "plain.example:5000/x", Purpose::Pull).len(), 2);
    assert_eq!(places(&some, "11.1.2.3:5000/x", Purpose::Pull).len(), 1);
}

#[test]
fn mirrors_are_asked_first_and_never_pushed_to() {
    let config = HostsConfig {
        mirrors: BTreeMap::from([("docker.io".into(), vec!["http://127.0.0.1:5001".into()])]),
        ..HostsConfig::default()
    };
    assert_eq!(
        places(&config, "busybox", Purpose::Pull),
        ["http://127.0.0.1:5001/v2/library/busybox", "https://registry-1.docker.io/v2/library/busybox"]
    );
    assert_eq!(
        places(&config, "busybox", Purpose::Push),
        ["https://registry-1.docker.io/v2/library/busybox"]
    );
    assert_eq!(places(&config, "h.example/x", Purpose::Pull), ["https://h.example/v2/x"]);
}

#[test]
fn names_that_say_no_registry_may_be_of_another_than_dockers() {
    let config = HostsConfig {
        default: "localhost:5000".into(),
        mirrors: BTreeMap::from([("docker.io".into(), vec!["https://registry-1.docker.io".into()])]),
        rewrites: BTreeMap::from([("docker.io/library/moved".into(), "r.example/moved".into())]),
        ..HostsConfig::default()
    };
    let of = |name: &str| places(&config, name, Purpose::Pull);
    let origin = |path: &str| ["https", "http"].map(|scheme| format!("{scheme}://localhost:5000/v2/{path}"));
    let mirror = |path: &str| format!("https://registry-1.docker.io/v2/{path}");
    // First the registry itself: nobody else can give out its images.
    let expected =
        |path: &str, there: &str| origin(path).into_iter().chain([mirror(there)]).collect::<Vec<_>>();
    assert_eq!(of("busybox"), expected("busybox", "library/busybox"));
    assert_eq!(of("me/app"), expected("me/app", "me/app"));
    assert_eq!(of("moved"), ["https://r.example/v2/moved"]);
    assert_eq!(of("h.example/x"), ["https://h.example/v2/x"]);
    assert_eq!(places(&config, "busybox", Purpose::Push), origin("busybox"));
    let plain = HostsConfig { default: "docker.io".into(), ..HostsConfig::default() };
    assert_eq!(places(&plain, "busybox", Purpose::Pull), [mirror("library/busybox")]);
}

#[test]
fn a_name_may_be_fetched_under_another() {
    let config = HostsConfig {
        rewrites: BTreeMap::from([
            ("docker.io".into(), "r.example/hub".into()),
            ("docker.io/library".into(), "r.example/official".into()),
        ]),
        ..HostsConfig::default()
    };
    assert_eq!(places(&config, "busybox", Purpose::Pull), ["https://r.example/v2/official/busybox"]);
    assert_eq!(places(&config, "me/app", Purpose::Pull), ["https://r.example/v2/hub/me/app"]);
}

#[test]
fn hosts_toml_is_read_as_containerd_reads_it() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir_all(dir.path().join("r.example")).unwrap();
    let text = r#"
        server = "https://r.example"
        [host."https://z-first.example"]
          capabilities = ["pull", "resolve"]
          ca = "ca.pem"
          client = [["c.cert", "c.key"]]
          [host."https://z-first.example".header]
            x-a = ["1", "2"]
        [host."http://a-second.example/path/v2"]
          override_path = true
        [host."https://push.example"]
          capabilities = ["push"]
    "#;
    fs::write(dir.path().join("r.example/hosts.toml"), text).unwrap();
    let config = HostsConfig { directories: vec![dir.path().to_owned()], ..HostsConfig::default() };
    assert_eq!(
        places(&config, "r.example/x", Purpose::Pull),
        ["https://z-first.example/v2/x", "http://a-second.example/path/v2/x", "https://r.example/v2/x"]
    );
    assert_eq!(places(&config, "r.example/x", Purpose::Push).len(), 3);
    let found = Hosts::new(config).endpoints(&"r.example/x".parse().unwrap(), Purpose::Pull).unwrap();
    assert_eq!(found[0].connection.authorities, [dir.path().join("r.example/ca.pem")]);
    assert_eq!(found[0].connection.headers.get_all("x-a").iter().count(), 2);
    assert_eq!(found[0].namespace.as_deref(), Some("r.example"));
    assert_eq!(found[2].namespace, None);
}

#[test]
fn registries_conf_is_read_as_podman_reads_it() {
    let dir = tempfile::tempdir().unwrap();
    let text = r#"
        unqualified-search-registries = ["docker.io"]
        [[registry]]
        prefix = "r.example/team"
        location = "inner.example/t"
        [[registry.mirror]]
        location = "127.0.0.1:5001/m"
        insecure = true
        [[registry]]
        prefix = "*.wild.example"
        blocked = true
    "#;
    fs::write(dir.path().join("a.conf"), text).unwrap();
    let config = HostsConfig { registries_conf: vec![dir.path().to_owned()], ..HostsConfig::default() };
    assert_eq!(
        places(&config, "r.example/team/app", Purpose::Pull),
        ["http://127.0.0.1:5001/v2/m/app", "https://inner.example/v2/t/app"]
    );
    assert_eq!(places(&config, "r.example/teams/app", Purpose::Pull), ["https://r.example/v2/teams/app"]);
    let hosts = Hosts::new(config);
    let blocked = hosts.endpoints(&"a.wild.example/x".parse().unwrap(), Purpose::Pull);
    assert!(matches!(blocked, Err(RegistryError::Blocked { .. })));
    fs::write(dir.path().join("b.conf"), "[[registry]\n").unwrap();
    let broken = hosts.endpoints(&"x".parse().unwrap(), Purpose::Pull);
    assert!(broken.unwrap_err().to_string().contains("b.conf"));
}

#[test]
fn certificates_are_found_where_docker_has_them() {
    let dir = tempfile::tempdir().unwrap();
    let host = dir.path().join("r.example:5000");
    fs::create_dir_all(&host).unwrap();
    for name in ["ca.crt", "client.cert", "client.key"] {
        fs::write(host.join(name), "").unwrap();
    }
    let config = HostsConfig { directories: vec![dir.path().to_owned()], ..HostsConfig::default() };
    let found =
        Hosts::new(config.clone()).endpoints(&"r.example:5000/x".parse().unwrap(), Purpose::Pull).unwrap();
    assert_eq!(found[0].connection.authorities, [host.join("ca.crt")]);
    assert_eq!(found[0].connection.identities, [(host.join("client.cert"), host.join("client.key"))]);
    fs::remove_file(host.join("client.key")).unwrap();
    let lacking = Hosts::new(config).endpoints(&"r.example:5000/x".parse().unwrap(), Purpose::Pull);
    assert!(lacking.unwrap_err().to_string().contains("client.key"));
}
