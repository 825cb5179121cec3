//! One request: which end-point, whether it may, and what it says.

use crate::access::{Access, Action, Scope};
use crate::endpoints::{Answer, blobs, catalog, manifests, referrers, tags, token, uploads};
use crate::http::query::Query;
use crate::http::refusal::{Code, Refusal};
use crate::http::route::Route;
use crate::http::{answer, fields, route};
use crate::source::Source;
use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use repositories::{Mirror, Repositories};

/// What Docker's clients look for to know a registry by.
const API_VERSION: (HeaderName, HeaderValue) =
    (HeaderName::from_static("docker-distribution-api-version"), HeaderValue::from_static("registry/2.0"));

/// What is served, and to whom.
#[derive(Debug)]
pub struct Registry {
    /// The repositories.
    pub repositories: Repositories,
    /// What fills them, where this is a mirror of other registries: then nobody can push.
    pub mirror: Option<Mirror>,
    /// Who may do what.
    pub access: Access,
    /// Whether clients reach it by `https`, in front of which something else may end TLS.
    pub secure: bool,
}

impl Registry {
    /// Answers a request.
    pub(crate) async fn answer(&self, request: Request<Body>) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let answered = self.route(&parts, body).await;
        let mut response = answered.unwrap_or_else(Refusal::into_response);
        tracing::debug!(method = %parts.method, path = parts.uri.path(), status = response.status().as_u16());
        let (name, value) = API_VERSION;
        response.headers_mut().insert(name, value);
        response
    }

    async fn route(&self, parts: &Parts, body: Body) -> Answer {
        let route = Route::parse(parts.uri.path())?;
        let query = Query::of(&parts.uri);
        if route != Route::Token {
            let scopes = scopes(&route, &parts.method, &query)?;
            self.access.admit(&parts.headers, &scopes, &self.origin(parts)).await?;
        }
        if self.mirror.is_some() {
            self.check_mirrored(&parts.method, &route)?;
        }
        let (repositories, headers) = (&self.repositories, &parts.headers);
        let source = match &self.mirror {
            Some(mirror) => Source::Mirror(mirror, query.get("ns")),
            None => Source::Own(repositories),
        };
        match (&parts.method, &route) {
            (&Method::GET | &Method::HEAD, Route::Ping) => {
                Ok(answer::json("application/json", &serde_json::json!({})))
            }
            (&Method::GET, Route::Catalog) => catalog::list(repositories, &query).await,
            (&Method::GET, Route::Tags(name)) => tags::list(source, name, &query).await,
            (&Method::GET, Route::Referrers(name, digest)) => {
                referrers::list(repositories, name, digest, &query).await
            }
            (&Method::GET | &Method::HEAD, Route::Manifest(name, target)) => {
                manifests::get(source, name, target, headers).await
            }
            (&Method::PUT, Route::Manifest(name, target)) => {
                manifests::put(repositories, name, target, headers, &query, body).await
            }
            (&Method::DELETE, Route::Manifest(name, target)) => {
                manifests::delete(repositories, name, target).await
            }
            (&Method::HEAD, Route::Blob(name, digest)) => blobs::head(source, name, digest, headers).await,
            (&Method::GET, Route::Blob(name, digest)) => blobs::get(source, name, digest, headers).await,
            (&Method::DELETE, Route::Blob(name, digest)) => blobs::delete(repositories, name, digest).await,
            (&Method::POST, Route::Uploads(name)) => {
                uploads::begin(repositories, name, &query, body, self.access.is_open()).await
            }
            (&Method::PATCH, Route::Upload(name, id)) => {
                uploads::patch(repositories, name, id, headers, body).await
            }
            (&Method::PUT, Route::Upload(name, id)) => {
                uploads::put(repositories, name, id, headers, &query, body).await
            }
            (&Method::GET | &Method::HEAD, Route::Upload(name, id)) => {
                uploads::status(repositories, name, id).await
            }
            (&Method::DELETE, Route::Upload(name, id)) => uploads::cancel(repositories, name, id).await,
            (&Method::GET | &Method::POST, Route::Token) => self.token(parts, &query, body).await,
            _ => Err(not_allowed(&parts.method)),
        }
    }

    /// Whether a mirror answers such a request.
    fn check_mirrored(&self, method: &Method, route: &Route) -> Result<(), Refusal> {
        match route {
            Route::Token => Ok(()),
            // Whoever hears that asks for the tag that referrers have where there is no such list; that is mirrored.
            Route::Referrers(..) => Err(Refusal::new(
                StatusCode::NOT_FOUND,
                Code::Unsupported,
                "a mirror has no lists of referrers",
            )),
            _ if matches!(*method, Method::GET | Method::HEAD) => Ok(()),
            _ => Err(Refusal::new(
                StatusCode::METHOD_NOT_ALLOWED,
                Code::Unsupported,
                "this registry is a mirror: change the original",
            )),
        }
    }

    async fn token(&self, parts: &Parts, query: &Query, body: Body) -> Answer {
        match &self.access {
            Access::Token(tokens) if let Some(issuer) = &tokens.own => match parts.method {
                Method::POST => token::post(issuer, &tokens.service, body).await,
                _ => token::get(issuer, &tokens.service, &parts.headers, query).await,
            },
            _ => {
                Err(Refusal::new(StatusCode::NOT_FOUND, Code::Unsupported, "there is no token service here"))
            }
        }
    }

    /// How the client reaches this server.
    fn origin(&self, parts: &Parts) -> String {
        let scheme = if self.secure { "https" } else { "http" };
        let host = parts.uri.authority().map(|authority| authority.as_str());
        let host = host.or_else(|| fields::text(&parts.headers, header::HOST)).unwrap_or("localhost");
        format!("{scheme}://{host}")
    }
}

/// What a request does to what.
fn scopes(route: &Route, method: &Method, query: &Query) -> Result<Vec<Scope>, Refusal> {
    let Some(name) = route.repository() else {
        return Ok(if *route == Route::Catalog { vec![Scope::catalog()] } else { Vec::new() });
    };
    let actions: &[Action] = match (method, route) {
        (_, Route::Uploads(_) | Route::Upload(..)) => &[Action::Pull, Action::Push],
        (&Method::GET | &Method::HEAD, _) => &[Action::Pull],
        (&Method::DELETE, _) => &[Action::Delete],
        _ => &[Action::Pull, Action::Push],
    };
    let mut scopes = vec![Scope::repository(name, actions)];
    if let (Route::Uploads(_), Some(digest), Some(from)) = (route, query.get("mount"), query.get("from")) {
        route::digest(digest)?;
        scopes.push(Scope::repository(&from.parse()?, &[Action::Pull]));
    }
    Ok(scopes)
}

fn not_allowed(method: &Method) -> Refusal {
    let message = format!("{method} is not supported here");
    Refusal::new(StatusCode::METHOD_NOT_ALLOWED, Code::Unsupported, message)
}
