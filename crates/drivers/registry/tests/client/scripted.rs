//! A registry on a loopback port that does as it is told: right by default, and once or always wrong where a test says so.
//! It writes down every request.

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::header::{ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, LOCATION, RANGE};
use axum::http::{HeaderMap, Method, Response, StatusCode};
use futures_util::stream::{self, StreamExt};
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Pieces that a body is sent in.
const PIECE: usize = 64 << 10;

/// What to do for one request in the place of what is right.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    /// Nothing special.
    Right,
    /// The connection ends after so many bytes of the body.
    BreakAfter(usize),
    /// Nothing more comes after so many bytes of the body.
    HangAfter(usize),
    /// No answer.
    Hang,
    /// One piece after the other, with such a pause between.
    Slow(Duration),
    /// Status, headers and body.
    Answer(u16, Vec<(&'static str, String)>, String),
    /// All of it, whatever range was asked for.
    IgnoreRange,
    /// The range that was asked for, said and sent as one that begins here.
    RangeFrom(usize),
    /// Something else.
    Instead(Vec<u8>),
}

/// A request that came.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Seen {
    /// A header, or nothing.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// Looks at each request first; some: its answer.
pub(crate) type Guard = Arc<dyn Fn(&Seen) -> Option<Response<Body>> + Send + Sync>;

#[derive(Default)]
struct Inner {
    content: Mutex<BTreeMap<String, (Option<String>, Bytes)>>,
    acts: Mutex<BTreeMap<String, VecDeque<Act>>>,
    always: Mutex<BTreeMap<String, Act>>,
    guard: Mutex<Option<Guard>>,
    seen: Mutex<Vec<Seen>>,
    served: AtomicU64,
}

/// The registry. It ends with the runtime that it was started in.
#[derive(Clone)]
pub(crate) struct Registry {
    inner: Arc<Inner>,
    /// Where it listens.
    pub(crate) address: SocketAddr,
}

impl Registry {
    /// Listens on a free port, by plain HTTP.
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        Self::serve(listener, address)
    }

    /// Serves whoever comes to `listener`.
    pub(crate) fn serve<L: axum::serve::Listener<Addr = SocketAddr>>(
        listener: L,
        address: SocketAddr,
    ) -> Self {
        let inner = Arc::new(Inner::default());
        let router = axum::Router::new().fallback(answer).with_state(Arc::clone(&inner));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { inner, address }
    }

    /// `127.0.0.1:<port>`.
    pub(crate) fn host(&self) -> String {
        self.address.to_string()
    }

    /// Makes content be at a path below `/v2/`.
    pub(crate) fn put(&self, path: &str, media_type: Option<&str>, content: impl Into<Bytes>) {
        let content = (media_type.map(str::to_owned), content.into());
        lock(&self.inner.content).insert(format!("/v2/{path}"), content);
    }

    /// A blob of a repository.
    pub(crate) fn put_blob(&self, name: &str, digest: &str, content: impl Into<Bytes>) {
        self.put(&format!("{name}/blobs/{digest}"), Some("application/octet-stream"), content);
    }

    /// What is at a path below `/v2/` now.
    pub(crate) fn content(&self, path: &str) -> Option<Bytes> {
        lock(&self.inner.content).get(&format!("/v2/{path}")).map(|(_, bytes)| bytes.clone())
    }

    /// What to do for the next requests of a path: one after the other, then what is right.
    pub(crate) fn script(&self, method: &str, path: &str, acts: impl IntoIterator<Item = Act>) {
        lock(&self.inner.acts).entry(format!("{method} /v2/{path}")).or_default().extend(acts);
    }

    /// What to do for all requests of a path.
    pub(crate) fn always(&self, method: &str, path: &str, act: Act) {
        lock(&self.inner.always).insert(format!("{method} /v2/{path}"), act);
    }

    /// Forgets all scripts.
    pub(crate) fn behave(&self) {
        lock(&self.inner.acts).clear();
        lock(&self.inner.always).clear();
    }

    /// Who looks at each request first.
    pub(crate) fn guard(&self, guard: impl Fn(&Seen) -> Option<Response<Body>> + Send + Sync + 'static) {
        *lock(&self.inner.guard) = Some(Arc::new(guard));
    }

    /// All requests so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        lock(&self.inner.seen).clone()
    }

    /// How many requests of this kind came.
    pub(crate) fn count(&self, method: &str, part: &str) -> usize {
        self.seen().iter().filter(|seen| seen.method == method && seen.path.contains(part)).count()
    }

    /// Bytes of blobs that it sent.
    pub(crate) fn served(&self) -> u64 {
        self.inner.served.load(Ordering::SeqCst)
    }
}

/// An answer with a status, headers and a text.
pub(crate) fn says(status: u16, headers: &[(&str, &str)], body: &str) -> Response<Body> {
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    response.body(Body::from(body.to_owned())).unwrap()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn answer(State(inner): State<Arc<Inner>>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 30).await.unwrap_or_default();
    let seen = Seen {
        method: parts.method,
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: parts.headers,
        body,
    };
    lock(&inner.seen).push(seen.clone());
    let guard = lock(&inner.guard).clone();
    if let Some(response) = guard.and_then(|guard| guard(&seen)) {
        return response;
    }
    let key = format!("{} {}", seen.method, seen.path);
    let next = lock(&inner.acts).get_mut(&key).and_then(VecDeque::pop_front);
    let act = next.or_else(|| lock(&inner.always).get(&key).cloned()).unwrap_or(Act::Right);
    match act {
        Act::Hang => std::future::pending().await,
        Act::Answer(status, headers, body) => {
            let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            says(status, &headers, &body)
        }
        act if matches!(seen.method, Method::GET | Method::HEAD) => read(&inner, &seen, act),
        _ => write(&inner, &seen),
    }
}

fn read(inner: &Arc<Inner>, seen: &Seen, act: Act) -> Response<Body> {
    if seen.path == "/v2/" {
        return says(200, &[], "{}");
    }
    let stored = lock(&inner.content).get(&seen.path).cloned();
    let Some((media_type, mut content)) = stored else {
        return says(404, &[], r#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}"#);
    };
    if let Act::Instead(other) = &act {
        content = Bytes::from(other.clone());
    }
    let mut response = Response::builder().header(ACCEPT_RANGES, "bytes");
    if let Some(media_type) = media_type {
        response = response.header(CONTENT_TYPE, media_type);
    }
    let range = seen.header(RANGE.as_str()).strip_prefix("bytes=").and_then(|range| range.strip_suffix('-'));
    let asked =
        range.and_then(|begin| begin.parse::<usize>().ok()).filter(|_| !matches!(act, Act::IgnoreRange));
    let total = content.len();
    if let Some(asked) = asked {
        let begin = if let Act::RangeFrom(begin) = act { begin } else { asked };
        if begin >= total {
            return says(416, &[], "");
        }
        content = content.slice(begin..);
        response = response
            .status(StatusCode::PARTIAL_CONTENT)
            .header(CONTENT_RANGE, format!("bytes {begin}-{}/{total}", total - 1));
    }
    response = response.header(CONTENT_LENGTH, content.len());
    if seen.method == Method::HEAD {
        return response.body(Body::empty()).unwrap();
    }
    let counted = seen.path.contains("/blobs/");
    response.body(body(inner, &content, act, counted)).unwrap()
}

/// The content in pieces, counted as they go out.
fn body(inner: &Arc<Inner>, content: &Bytes, act: Act, counted: bool) -> Body {
    let end = match act {
        Act::BreakAfter(end) | Act::HangAfter(end) => end.min(content.len()),
        _ => content.len(),
    };
    let pieces: Vec<Bytes> =
        (0..end).step_by(PIECE).map(|at| content.slice(at..end.min(at + PIECE))).collect();
    let (inner, after) = (Arc::clone(inner), act.clone());
    let sent = stream::iter(pieces).then(move |piece| {
        let (inner, act) = (Arc::clone(&inner), act.clone());
        async move {
            if let Act::Slow(pause) = act {
                tokio::time::sleep(pause).await;
            }
            if counted {
                inner.served.fetch_add(piece.len() as u64, Ordering::SeqCst);
            }
            Ok::<_, io::Error>(piece)
        }
    });
    let rest = stream::once(async move {
        match after {
            Act::BreakAfter(_) => {
                // What was sent reaches the other side before the connection is gone.
                tokio::time::sleep(Duration::from_millis(20)).await;
                Err(io::Error::other("broken off"))
            }
            Act::HangAfter(_) => std::future::pending().await,
            _ => Ok(Bytes::new()),
        }
    });
    Body::from_stream(sent.chain(rest))
}

fn write(inner: &Arc<Inner>, seen: &Seen) -> Response<Body> {
    let digest = seen.query.split('&').find_map(|pair| pair.strip_prefix("digest="));
    let digest = digest.map(|digest| digest.replace("%3A", ":"));
    match (&seen.method, seen.path.split_once("/blobs/uploads/")) {
        (&Method::POST, Some((name, _))) => {
            let place = format!("{name}/blobs/uploads/7?_state=a%2Fb");
            says(202, &[(LOCATION.as_str(), &place)], "")
        }
        (&Method::PUT, Some((name, _))) => {
            let Some(digest) = digest else { return says(400, &[], "no digest") };
            let path = format!("{name}/blobs/{digest}");
            lock(&inner.content).insert(path, (None, seen.body.clone()));
            says(201, &[], "")
        }
        (&Method::PUT, None) if seen.path.contains("/manifests/") => {
            let media_type = Some(seen.header(CONTENT_TYPE.as_str()).to_owned());
            lock(&inner.content).insert(seen.path.clone(), (media_type, seen.body.clone()));
            says(201, &[], "")
        }
        _ => says(405, &[], "unsupported"),
    }
}
