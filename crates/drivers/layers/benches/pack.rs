//! How fast trees are packed, beside GNU tar: many small files, and one large one. Both write into a pipe that `cat` reads.
#![expect(clippy::print_stdout, reason = "it prints figures")]

use layers::{PackOptions, pack_directory};
use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const ROUNDS: usize = 7;

fn main() -> io::Result<()> {
    let dir = tempfile::tempdir()?;
    let (small, large) = (dir.path().join("small"), dir.path().join("large"));
    for directory in 0..1000 {
        let path = small.join(format!("d{directory}"));
        fs::create_dir_all(&path)?;
        for file in 0..30 {
            fs::write(path.join(format!("file-{file}")), vec![b'x'; 500 + file * 100])?;
        }
    }
    fs::create_dir(&large)?;
    fs::write(large.join("file"), vec![b'x'; 512 << 20])?;
    for (what, path, files, bytes) in
        [("30,000 small files", &small, 30_000, 58.5e6), ("one of 512 MiB", &large, 1, 512.0 * 1_048_576.0)]
    {
        for (who, pack) in [("ours", ours as fn(&Path) -> io::Result<Duration>), ("tar", tar)] {
            let mut times = (0..ROUNDS).map(|_| pack(path)).collect::<io::Result<Vec<_>>>()?;
            times.sort();
            let seconds = times[ROUNDS / 2].as_secs_f64();
            let (rate, speed) = (f64::from(files) / seconds, bytes / seconds / 1e6);
            println!("{what}: {who:4} {:7.1} ms  {rate:9.0} files/s  {speed:6.0} MB/s", seconds * 1e3);
        }
    }
    Ok(())
}

fn ours(path: &Path) -> io::Result<Duration> {
    let start = Instant::now();
    let mut cat = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::null()).spawn()?;
    let pipe = cat.stdin.take().ok_or(io::ErrorKind::BrokenPipe)?;
    pack_directory(File::open(path)?, b"tree", &PackOptions::default(), pipe).map_err(io::Error::other)?;
    cat.wait()?;
    Ok(start.elapsed())
}

fn tar(path: &Path) -> io::Result<Duration> {
    let start = Instant::now();
    let script = "tar --xattrs -c -f - -C \"$0\" . | cat >/dev/null";
    Command::new("sh").arg("-c").arg(script).arg(path).status()?;
    Ok(start.elapsed())
}
