//! Prepared namespaces.

use super::*;
use crate::{Pool, sysctl};
use std::collections::HashSet;
use std::os::fd::AsFd;

fn id(namespace: &Namespace) -> u64 {
    rustix::fs::fstat(namespace.as_fd()).unwrap().st_ino
}

#[test]
fn the_pool_fills_itself_and_gives_more_than_it_has() {
    let Some(host) = namespace() else { return };
    let pool = host.run(|| Pool::open(3, Settings { ipv6: false })).unwrap();
    assert!(eventually(|| (pool.ready() == 3).then_some(())).is_some());
    let taken: Vec<Namespace> = (0..20).map(|_| pool.take().unwrap()).collect();
    let ids: HashSet<u64> = taken.iter().map(id).chain([id(&host)]).collect();
    assert_eq!(ids.len(), 21, "each namespace is another one");
    assert!(eventually(|| (pool.ready() == 3).then_some(())).is_some());
    pool.close();
    assert_eq!(pool.ready(), 0);
    assert!(pool.take_prepared().is_none());
    assert!(pool.take().is_ok());
}

#[test]
fn a_namespace_begins_with_loopback_and_dockers_parameters() {
    let Some(host) = namespace() else { return };
    let pool = host.run(|| Pool::open(1, Settings { ipv6: false })).unwrap();
    for namespace in
        [eventually(|| pool.take_prepared()).unwrap(), Namespace::make(Settings { ipv6: false }).unwrap()]
    {
        let links = namespace.with_socket(|socket| link::list(socket, None)).unwrap();
        assert!(links.iter().any(|link| link.name == "lo" && link.up));
        let value = |parameter: &str| namespace.run(|| sysctl::read(parameter)).unwrap();
        assert_eq!(value("ipv4/ip_unprivileged_port_start"), "0");
        assert_eq!(
            value("ipv4/ping_group_range").split_whitespace().collect::<Vec<_>>(),
            ["0", "2147483647"]
        );
        assert_eq!(value("ipv6/conf/default/disable_ipv6"), "1");
        assert_eq!(value("ipv6/conf/lo/disable_ipv6"), "0");
    }
}

#[test]
fn others_find_a_namespace_by_its_path_while_it_is_held() {
    let Some(namespace) = namespace() else { return };
    let inode = || rustix::fs::stat(namespace.path()).map(|stat| stat.st_ino);
    assert_eq!(inode().unwrap(), id(&namespace));
    let own = Namespace::of_process(std::process::id()).unwrap();
    assert_ne!(id(&own), id(&namespace));
    assert!(Namespace::of_process(u32::MAX).is_err());
}

#[test]
fn the_calling_thread_stays_where_it_was() {
    let Some(made) = namespace() else { return };
    let before = id(&Namespace::current().unwrap());
    assert_eq!(made.run(|| Ok(id(&Namespace::current()?))).unwrap(), id(&made));
    assert_eq!(id(&Namespace::current().unwrap()), before);
}
