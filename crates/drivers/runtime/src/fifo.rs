//! Streams of an exec in a foreign shim: FIFOs, as containerd passes them, turned into the attachment that our own
//! shim would give.
//!
//! A shim opens its ends of the FIFOs while it starts the process. Until then this side holds a writing end of each
//! output, for without a writer a FIFO is at its end.

use crate::attach::Attachment;
use crate::error::{Error, Result};
use crate::exec::ExecIo;
use crate::task::Task;
use ids::ExecId;
use rustix::fs::{CWD, FileType, Mode, mknodat};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::net::unix::pipe::{OpenOptions, Receiver, Sender};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::Mutex;
use tokio::task::JoinSet;

/// Directory of the FIFOs of all execs in a bundle.
const DIRECTORY: &str = "execs";

/// A read's worth.
const CHUNK: usize = 16 << 10;

/// The FIFOs of one exec. They vanish from the bundle when this does.
#[derive(Debug)]
pub(crate) struct Fifos {
    directory: PathBuf,
    terminal: bool,
    stdin: Option<Sender>,
    /// By stream number.
    outputs: Vec<(u8, Receiver)>,
    /// Writing ends, until the process is started.
    holders: Vec<File>,
}

/// What a shim is told of each stream; empty: `/dev/null`.
#[derive(Debug, Default)]
pub(crate) struct Paths {
    pub(crate) stdin: String,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Fifos {
    /// Makes those that are wanted.
    pub(crate) fn make(bundle: &Path, exec: &ExecId, io: ExecIo) -> Result<(Self, Paths)> {
        let directory = bundle.join(DIRECTORY).join(exec.as_str());
        let failed = |cause| Error::File { action: "make FIFOs in", path: directory.clone(), cause };
        std::fs::create_dir_all(&directory).map_err(failed)?;
        let mut fifos = Self {
            directory: directory.clone(),
            terminal: io.terminal,
            stdin: None,
            outputs: Vec::new(),
            holders: Vec::new(),
        };
        let mut paths = Paths::default();
        if io.stdin {
            paths.stdin = fifos.add_input().map_err(failed)?;
        }
        if io.stdout {
            paths.stdout = fifos.add_output(1, "stdout").map_err(failed)?;
        }
        if io.stderr && !io.terminal {
            paths.stderr = fifos.add_output(2, "stderr").map_err(failed)?;
        }
        Ok((fifos, paths))
    }

    fn add_input(&mut self) -> io::Result<String> {
        let path = make_fifo(&self.directory, "stdin")?;
        // For reading too: nobody reads it yet.
        self.stdin = Some(OpenOptions::new().read_write(true).open_sender(&path)?);
        Ok(path.display().to_string())
    }

    fn add_output(&mut self, number: u8, name: &str) -> io::Result<String> {
        let path = make_fifo(&self.directory, name)?;
        self.outputs.push((number, OpenOptions::new().open_receiver(&path)?));
        self.holders.push(std::fs::OpenOptions::new().write(true).open(&path)?);
        Ok(path.display().to_string())
    }

    /// The process has been started (or will never be): from here on outputs end when the shim says so.
    pub(crate) fn let_go(&mut self) {
        self.holders.clear();
    }

    /// Gives the streams away; there is one client.
    pub(crate) fn attach(&mut self, task: Task, exec: ExecId) -> Result<Attachment> {
        let (ours, stream) = UnixStream::pair().map_err(|cause| Error::File {
            action: "attach to",
            path: self.directory.clone(),
            cause,
        })?;
        let (input, output) = ours.into_split();
        if let Some(stdin) = self.stdin.take() {
            tokio::spawn(feed(input, stdin, task, exec));
        }
        tokio::spawn(pump(std::mem::take(&mut self.outputs), output, self.terminal));
        Ok(Attachment { terminal: self.terminal, stream })
    }
}

impl Drop for Fifos {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

fn make_fifo(directory: &Path, name: &str) -> io::Result<PathBuf> {
    let path = directory.join(name);
    mknodat(CWD, &path, FileType::Fifo, Mode::from_raw_mode(0o600), 0)?;
    Ok(path)
}

/// From the client to the process; the client's half-close ends the process's input.
async fn feed(mut client: OwnedReadHalf, mut stdin: Sender, task: Task, exec: ExecId) {
    // Either end may go away at any time; there is nobody to tell.
    let _ = tokio::io::copy(&mut client, &mut stdin).await;
    drop(stdin);
    let _ = task.close_input(exec.as_str()).await;
}

/// From the process to the client, until all outputs have ended.
async fn pump(outputs: Vec<(u8, Receiver)>, client: OwnedWriteHalf, terminal: bool) {
    let client = Arc::new(Mutex::new(client));
    let mut copies = JoinSet::new();
    for (number, fifo) in outputs {
        let client = Arc::clone(&client);
        copies.spawn(async move { copy(number, fifo, &client, terminal).await });
    }
    copies.join_all().await;
    let _ = client.lock().await.shutdown().await;
}

async fn copy(number: u8, mut fifo: Receiver, client: &Mutex<OwnedWriteHalf>, terminal: bool) {
    let mut buffer = vec![0; CHUNK];
    while let Ok(count @ 1..) = fifo.read(&mut buffer).await {
        if write(number, &buffer[..count], client, terminal).await.is_err() {
            // Without a client the process must still not wait for one: what it says is read and forgotten.
            while let Ok(1..) = fifo.read(&mut buffer).await {}
        }
    }
}

async fn write(number: u8, bytes: &[u8], client: &Mutex<OwnedWriteHalf>, terminal: bool) -> io::Result<()> {
    let mut client = client.lock().await;
    if !terminal {
        client.write_all(&frame_header(number, bytes.len())).await?;
    }
    client.write_all(bytes).await
}

/// The Engine API's stream format.
fn frame_header(number: u8, length: usize) -> [u8; 8] {
    let length = u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes();
    [number, 0, 0, 0, length[0], length[1], length[2], length[3]]
}
