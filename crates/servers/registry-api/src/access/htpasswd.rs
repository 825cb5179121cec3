//! Users in a file as `htpasswd -B` makes it: a line `name:hash` for each, the hashes by bcrypt.
//!
//! The file is read again when it changes. Hashing a password takes tens of milliseconds on purpose, so what was right is
//! remembered for a while, as a keyed hash that is of no use to anybody else.

use super::{AccessError, Credentials};
use offload::blocking;
use ring::hmac;
use ring::rand::SystemRandom;
use std::collections::HashMap;
use std::fmt;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a right password is remembered.
const MEMORY: Duration = Duration::from_secs(300);

/// So many at most.
const MANY: usize = 10_000;

/// Bytes of a password that bcrypt looks at.
const MAX_PASSWORD: usize = 72;
/// bcrypt's cost of new passwords: about 60 ms.
const COST: u32 = 10;

/// See the module.
#[derive(Clone)]
pub struct Htpasswd(Arc<Inner>);

struct Inner {
    path: PathBuf,
    key: hmac::Key,
    /// Compared with where there is no such user, so that nobody learns from the time that there is none.
    nobody: String,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// What tells one version of the file from the next.
    version: Option<(u64, u64, i64, i64)>,
    users: Arc<HashMap<String, String>>,
    right: HashMap<Vec<u8>, Instant>,
}

impl Htpasswd {
    /// Reads the file.
    ///
    /// # Errors
    /// [`AccessError::File`].
    pub fn open(path: &Path) -> Result<Self, AccessError> {
        let random = SystemRandom::new();
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &random).map_err(|_| AccessError::Random)?;
        let nobody = bcrypt::hash("nobody", COST).map_err(|source| AccessError::Hash { source })?;
        let users = Self(Arc::new(Inner { path: path.to_owned(), key, nobody, state: Mutex::default() }));
        users.current()?;
        Ok(users)
    }

    /// Whether there is such a user with this password.
    ///
    /// # Errors
    /// [`AccessError::File`] when the file can't be read any more.
    pub async fn verify(&self, given: &Credentials) -> Result<bool, AccessError> {
        let users = self.current()?;
        let tag = self.tag(given);
        if self.is_right(&tag) {
            return Ok(true);
        }
        let hash = users.get(&given.name);
        let (known, hash) = (hash.is_some(), hash.unwrap_or(&self.0.nobody).clone());
        let password = given.password.clone();
        let matches = blocking(move || bcrypt::verify(password, &hash).unwrap_or(false)).await;
        let right = known && matches;
        if right {
            self.remember(tag);
        }
        Ok(right)
    }

    /// A text that changes when the user's password does; none: there is no such user.
    pub(crate) fn generation(&self, name: &str) -> Result<Option<String>, AccessError> {
        let users = self.current()?;
        let tag = |hash: &String| ring::digest::digest(&ring::digest::SHA256, hash.as_bytes());
        Ok(users.get(name).map(|hash| tag(hash).as_ref()[..8].iter().map(|b| format!("{b:02x}")).collect()))
    }

    fn current(&self) -> Result<Arc<HashMap<String, String>>, AccessError> {
        let failed = |source| AccessError::File { action: "read", path: self.0.path.clone(), source };
        let version = version(&self.0.path).map_err(failed)?;
        let mut state = self.state();
        if state.version != Some(version) {
            let text = std::fs::read_to_string(&self.0.path).map_err(failed)?;
            *state = State {
                version: Some(version),
                users: Arc::new(parse(&text, &self.0.path)),
                right: HashMap::new(),
            };
        }
        Ok(Arc::clone(&state.users))
    }

    fn tag(&self, given: &Credentials) -> Vec<u8> {
        let text = format!("{}:{}{}", given.name.len(), given.name, given.password);
        hmac::sign(&self.0.key, text.as_bytes()).as_ref().to_vec()
    }

    fn is_right(&self, tag: &[u8]) -> bool {
        self.state().right.get(tag).is_some_and(|when| when.elapsed() < MEMORY)
    }

    fn remember(&self, tag: Vec<u8>) {
        let mut state = self.state();
        if state.right.len() >= MANY {
            state.right.retain(|_, when| when.elapsed() < MEMORY);
        }
        if state.right.len() < MANY {
            state.right.insert(tag, Instant::now());
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn version(path: &Path) -> io::Result<(u64, u64, i64, i64)> {
    let stat = std::fs::metadata(path)?;
    Ok((stat.ino(), stat.len(), stat.mtime(), stat.mtime_nsec()))
}

fn parse(text: &str, path: &Path) -> HashMap<String, String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let mut users = HashMap::new();
    for line in lines {
        match line.split_once(':') {
            Some((name, hash)) if hash.starts_with("$2") => {
                users.insert(name.to_owned(), hash.to_owned());
            }
            _ => {
                let name = line.split(':').next().unwrap_or_default();
                tracing::warn!(path = %path.display(), name, "left out: only bcrypt hashes are supported (htpasswd -B)");
            }
        }
    }
    if users.is_empty() {
        tracing::warn!(path = %path.display(), "nobody can log in: no user is in the file");
    }
    users
}

/// The line for a new user.
///
/// # Errors
/// [`AccessError::BadName`].
pub fn htpasswd_line(name: &str, password: &str) -> Result<String, AccessError> {
    if name.is_empty() || name.starts_with('#') || name.contains([':', '\n', '\r']) || name.trim() != name {
        return Err(AccessError::BadName { name: name.to_owned() });
    }
    if password.len() > MAX_PASSWORD {
        return Err(AccessError::LongPassword);
    }
    let hash = bcrypt::hash(password, COST).map_err(|source| AccessError::Hash { source })?;
    Ok(format!("{name}:{hash}\n"))
}

impl fmt::Debug for Htpasswd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Htpasswd({})", self.0.path.display())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(name: &str, password: &str) -> Credentials {
        Credentials { name: name.to_owned(), password: password.to_owned() }
    }

    #[tokio::test]
    async fn users_come_and_go_with_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("htpasswd");
        assert!(Htpasswd::open(&path).is_err());
        let ada = htpasswd_line("ada", "secret").unwrap();
        std::fs::write(&path, format!("# users\n\n{ada}old:{{SHA}}xyz\n")).unwrap();
        let users = Htpasswd::open(&path).unwrap();
        for _ in 0..2 {
            assert!(users.verify(&given("ada", "secret")).await.unwrap());
        }
        for (name, password) in [("ada", "Secret"), ("ada", ""), ("bob", "secret"), ("old", "xyz"), ("", "")]
        {
            assert!(!users.verify(&given(name, password)).await.unwrap(), "{name}");
        }
        let before = users.generation("ada").unwrap();
        std::fs::write(&path, htpasswd_line("ada", "changed").unwrap()).unwrap();
        assert!(!users.verify(&given("ada", "secret")).await.unwrap());
        assert!(users.verify(&given("ada", "changed")).await.unwrap());
        assert_ne!(users.generation("ada").unwrap(), before);
    }

    #[test]
    fn names_do_not_break_the_file() {
        for bad in ["", "a:b", "a\nb", "#a", " a"] {
            assert!(htpasswd_line(bad, "x").is_err(), "{bad}");
        }
    }
}
