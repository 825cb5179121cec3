//! How many commits a second, and how long a read takes beside them: `cargo bench -p store`.
#![expect(clippy::print_stdout, reason = "a benchmark prints its numbers")]

use std::sync::Arc;
use std::time::{Duration, Instant};
use store::{StateStore, Transaction, open_redb};

type Store = Arc<dyn StateStore>;

const RECORD: usize = 4096;

fn main() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let dir = tempfile::tempdir_in(std::env::var_os("STORE_BENCH_DIR").unwrap_or_else(|| ".".into()));
    let path = dir.as_ref().expect("a directory").path().join("store.redb");
    let store = open_redb(&path).expect("a store");
    println!("resident with an empty store: {} kB", resident_kb());
    for (clients, each) in [(1, 3000), (10, 1000), (50, 400)] {
        let took = runtime.block_on(commits(&store, clients, each));
        let count = clients * each;
        println!("{clients} clients: {:.0} commits/s", count as f64 / took.as_secs_f64());
    }
    runtime.block_on(reads(&store));
    let listing = timed(|| runtime.block_on(store.list("")).expect("a listing"));
    println!("list of {} records of {RECORD} bytes: {:?}", listing.1.entries.len(), listing.0);
    println!("resident: {} kB", resident_kb());
    drop(store);
    println!("file: {} kB", path.metadata().expect("the file").len() / 1000);
    let opened = timed(|| open_redb(&path).expect("a store"));
    println!("open: {:?}", opened.0);
}

fn resident_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("the process's status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its resident size");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let start = Instant::now();
    let result = work();
    (start.elapsed(), result)
}

async fn commits(store: &Store, clients: usize, each: usize) -> Duration {
    let start = Instant::now();
    let tasks: Vec<_> =
        (0..clients).map(|client| tokio::spawn(write(Arc::clone(store), client, each))).collect();
    for task in tasks {
        task.await.expect("a client");
    }
    start.elapsed()
}

/// Each client goes through 20 records of its own, as a container's record is rewritten when its state changes.
async fn write(store: Store, client: usize, times: usize) {
    for number in 0..times {
        let key = format!("containers/{client:03}-{:02}", number % 20);
        store.commit(Transaction::new().put(key, vec![b'r'; RECORD])).await.expect("a commit");
    }
}

async fn reads(store: &Store) {
    let writers: Vec<_> = (0..50).map(|client| tokio::spawn(write(Arc::clone(store), client, 200))).collect();
    let mut times = Vec::new();
    while !writers.iter().all(|writer| writer.is_finished()) {
        let start = Instant::now();
        store.get("containers/000-00").await.expect("a read");
        times.push(start.elapsed());
        tokio::task::yield_now().await;
    }
    times.sort();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    println!("get beside 50 writers: median {:?}, p99 {:?}, max {:?}", at(0.5), at(0.99), at(1.0));
}
