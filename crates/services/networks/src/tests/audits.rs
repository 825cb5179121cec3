//! The kernel beside the records: in order while all goes its way, and each repair helps.

use super::*;
use std::sync::atomic::{AtomicBool, Ordering};

async fn opened(store: Arc<dyn StateStore>) -> Arc<Networks> {
    let networks = Networks::open(config(), store).await.unwrap();
    networks.adopt(Vec::new()).await.unwrap();
    networks.set_up_forwarding().await;
    networks
}

#[test]
fn an_address_that_is_kept_for_nobody_is_given_back() {
    on_a_host(|store| async move {
        let networks = opened(store).await;
        let (_sandbox, endpoint) = connected(&networks, 1, &EndpointRequest::default()).await.unwrap();
        assert_eq!(networks.audit().await.unwrap(), []);
        let (addresses, _) = networks.find_live("bridge").unwrap().carrier().unwrap();
        let lost = Endpoint { ipv4: endpoint.ipv4, ..Endpoint::for_tests() };
        let address = {
            // As if somebody had been attached, and forgotten.
            let mut addresses = addresses.lock();
            let before: BTreeSet<_> = addresses.given().into_iter().collect();
            let mut next = lost.ipv4.unwrap();
            let subnet = networks.find("bridge").unwrap().ipam.config[0].subnet;
            next.address = subnet.hosts().nth(40).unwrap();
            addresses.adopt(&Endpoint { ipv4: Some(next), ..lost });
            let after: BTreeSet<_> = addresses.given().into_iter().collect();
            *after.difference(&before).next().unwrap()
        };
        let flaw = Flaw::AddressStray { network: "bridge".into(), address };
        assert_eq!(networks.audit().await.unwrap(), std::slice::from_ref(&flaw));
        networks.mend(&flaw).await.unwrap();
        assert_eq!(networks.audit().await.unwrap(), []);
        // Another gets it; whose it is now stays so, though somebody would mend again.
        let (_other, again) = connected(&networks, 2, &wanting(&address.to_string())).await.unwrap();
        networks.mend(&flaw).await.unwrap();
        assert_eq!(again.ipv4.unwrap().address, address);
        assert!(connected(&networks, 3, &wanting(&address.to_string())).await.is_err());
        networks.purge().await.unwrap();
    });
}

#[test]
fn whoever_attaches_just_now_is_not_told_of() {
    on_a_host(|store| async move {
        let networks = opened(store).await;
        let (_sandbox, endpoint) = connected(&networks, 1, &EndpointRequest::default()).await.unwrap();
        let live = networks.find_live("bridge").unwrap();
        // As in the middle of an attachment: a device and an address, and no endpoint yet.
        let held = live.hold().await.unwrap();
        let known = networks.attached.lock().remove(&endpoint.id).unwrap();
        assert_eq!(networks.audit().await.unwrap(), []);
        drop(held);
        assert_eq!(networks.audit().await.unwrap().len(), 2 + usize::from(endpoint.ipv6.is_some()));
        networks.attached.lock().insert(known.id.clone(), known);
        assert_eq!(networks.audit().await.unwrap(), []);
        networks.purge().await.unwrap();
    });
}

#[test]
fn a_bridge_that_is_deleted_during_a_look_comes_back() {
    on_a_host(|store| async move {
        let networks = opened(store).await;
        let (looked, stop) = (Arc::clone(&networks), Arc::new(AtomicBool::new(false)));
        let stopped = Arc::clone(&stop);
        let looking = tokio::spawn(async move {
            while !stopped.load(Ordering::Relaxed) {
                looked.audit().await.unwrap();
            }
        });
        for round in 0..10 {
            link::delete(&mut Socket::open().unwrap(), &config().bridge).unwrap();
            assert!(eventually(|| devices().contains(&config().bridge)).await, "round {round}");
        }
        stop.store(true, Ordering::Relaxed);
        looking.await.unwrap();
        networks.purge().await.unwrap();
    });
}
