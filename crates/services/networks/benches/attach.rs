//! What a container's network costs: a namespace, an attachment, and giving both back.
//!
//! `cargo bench -p networks`, as root. It works in a network namespace of its own and leaves nothing behind.

#![expect(clippy::print_stdout, reason = "its output is what it is for")]

use ids::ContainerId;
use net::{Namespace, Settings, Socket, link};
use networks::{Config, Connection, Networks};
use spec::EndpointRequest;
use std::sync::Arc;
use std::time::{Duration, Instant};

const ROUNDS: usize = 300;
const CLIENTS: usize = 50;

fn main() {
    let host = Namespace::make(Settings { ipv6: true }).expect("this needs root");
    let outcome = host.run(|| {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime starts");
        runtime.block_on(measure());
        Ok(())
    });
    outcome.expect("the namespace can be entered");
}

async fn measure() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let store = store::open_redb(&directory.path().join("state.redb")).expect("a store");
    let began = Instant::now();
    let networks = Networks::open(Config::private(directory.path()), store).await.expect("networks open");
    show("open", &mut [began.elapsed()]);
    one_after_another(&networks, Duration::from_millis(5), "at leisure").await;
    settle(&networks).await;
    one_after_another(&networks, Duration::ZERO, "back to back").await;
    settle(&networks).await;
    all_at_once(&networks).await;
    let began = Instant::now();
    settle(&networks).await;
    println!("{:<34} {:>8.1} ms", "the kernel reaps the rest in", began.elapsed().as_secs_f64() * 1e3);
    networks.purge().await.expect("everything can be removed");
}

async fn one_after_another(networks: &Arc<Networks>, pause: Duration, label: &str) {
    let mut times: [Vec<Duration>; 3] = Default::default();
    for _ in 0..ROUNDS {
        let [sandbox, connect, release] = cycle(networks).await;
        times[0].push(sandbox);
        times[1].push(connect);
        times[2].push(release);
        tokio::time::sleep(pause).await;
    }
    for (times, what) in times.iter_mut().zip(["namespace", "connect", "release"]) {
        show(&format!("{what}, {label}"), times);
    }
}

async fn all_at_once(networks: &Arc<Networks>) {
    let began = Instant::now();
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let networks = Arc::clone(networks);
            tokio::spawn(async move {
                let mut connects = Vec::new();
                for _ in 0..20 {
                    connects.push(cycle(&networks).await[1]);
                }
                connects
            })
        })
        .collect();
    let mut connects = Vec::new();
    for client in clients {
        connects.extend(client.await.expect("no client panics"));
    }
    let rate = connects.len() as f64 / began.elapsed().as_secs_f64();
    show(&format!("connect, {CLIENTS} clients"), &mut connects);
    println!("{:<34} {rate:>8.0} /s", format!("cycles, {CLIENTS} clients"));
}

async fn cycle(networks: &Networks) -> [Duration; 3] {
    let request = EndpointRequest::default();
    let id = ContainerId::from_bytes([7; 32]);
    let began = Instant::now();
    let sandbox = networks.sandbox().await.expect("a namespace");
    let taken = began.elapsed();
    let connection = Connection {
        container: &id,
        network: "bridge",
        names: &[],
        request: &request,
        number: 0,
        routed: true,
        bindings: &[],
    };
    let endpoint = networks.connect(&sandbox, connection).await.expect("an attachment");
    let connected = began.elapsed();
    networks.release(&endpoint);
    drop(sandbox);
    [taken, connected - taken, began.elapsed() - connected]
}

/// Waits until only the bridge is left.
async fn settle(networks: &Networks) {
    let bridge = networks.find("bridge").expect("it is predefined");
    assert!(networks.endpoints(&bridge.id).is_empty());
    let mut socket = Socket::open().expect("a socket");
    while link::list(&mut socket, None).expect("a list").len() > 2 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

fn show(what: &str, times: &mut [Duration]) {
    times.sort();
    let at = |share: usize| times[(times.len() - 1) * share / 100].as_secs_f64() * 1e3;
    println!("{what:<34} median {:>7.3} ms   p90 {:>7.3}   p99 {:>7.3}", at(50), at(90), at(99));
}
