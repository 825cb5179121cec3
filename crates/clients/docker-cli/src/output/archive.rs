//! Archives that the daemon sends: to standard output, or to a file that appears only when it is whole.

use crate::failure::{Failure, Outcome};
use engine_client::Request;
use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::FileTypeExt as _;
use std::path::PathBuf;

/// Where an archive goes.
#[derive(Debug)]
pub(crate) enum Target {
    Stdout,
    File { part: PathBuf, path: PathBuf, file: File },
}

impl Target {
    /// Opens the file, or standard output when none is named; a terminal is refused.
    pub(crate) fn open(path: Option<&str>) -> Outcome<Self> {
        let Some(path) = path.filter(|path| !path.is_empty()).map(PathBuf::from) else {
            if super::stdout_is_terminal() {
                let text = "cowardly refusing to save to a terminal. Use the -o flag or redirect";
                return Err(Failure::new(text));
            }
            return Ok(Self::Stdout);
        };
        let path = regular(path)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let part = path.with_file_name(format!(".{name}.{}.part", std::process::id()));
        let file = File::create_new(&part)
            .map_err(|error| Failure::new(format!("create {}: {error}", path.display())))?;
        Ok(Self::File { part, path, file })
    }

    /// Sends the request and receives everything; a file that stays incomplete is removed.
    pub(crate) async fn receive_from(mut self, request: Request<'_>) -> Outcome {
        let result = self.transfer(request).await;
        if let Self::File { part, path, .. } = &self {
            match &result {
                Ok(()) => std::fs::rename(part, path)?,
                Err(_) => std::fs::remove_file(part)?,
            }
        }
        result
    }

    async fn transfer(&mut self, request: Request<'_>) -> Outcome {
        let mut response = request.send().await?;
        while let Some(chunk) = response.chunk().await? {
            match self {
                Self::Stdout => super::stdout_bytes(&chunk)?,
                Self::File { file, path, .. } => file
                    .write_all(&chunk)
                    .map_err(|error| Failure::new(format!("write {}: {error}", path.display())))?,
            }
        }
        Ok(())
    }
}

/// Where the archive will be: a name that is free, or an ordinary file, which it replaces. A link leads to what is replaced.
fn regular(path: PathBuf) -> Outcome<PathBuf> {
    let Ok(there) = std::fs::metadata(&path) else { return Ok(path) };
    let kind = there.file_type();
    let what = if kind.is_dir() {
        "a directory: name a file in it"
    } else if kind.is_file() {
        return Ok(std::fs::canonicalize(&path)?);
    } else if kind.is_char_device() {
        "a character device"
    } else if kind.is_block_device() {
        "a block device"
    } else {
        "a pipe or a socket: redirect the output instead"
    };
    Err(Failure::new(format!("cannot write to {}: it is {what}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ordinary_files_are_replaced() {
        for path in ["/dev/full", "/tmp"] {
            let refused = Target::open(Some(path)).unwrap_err();
            assert!(refused.message.starts_with(&format!("cannot write to {path}: ")), "{}", refused.message);
        }
        let dir = tempfile::tempdir().unwrap();
        let (file, link) = (dir.path().join("file"), dir.path().join("link"));
        std::fs::write(&file, "old").unwrap();
        std::os::unix::fs::symlink("file", &link).unwrap();
        assert_eq!(regular(link).unwrap(), std::fs::canonicalize(&file).unwrap());
        let free = dir.path().join("free");
        assert_eq!(regular(free.clone()).unwrap(), free);
    }
}
