//! `/auth/token`: GET with basic authentication as Docker's token specification has it, and POST as OAuth2 does.

use super::Answer;
use crate::access::{Credentials, Grant, Issuer, Scope, internal, unauthorized};
use crate::http::query::Query;
use crate::http::refusal::{Code, Refusal};
use crate::http::{answer, receive};
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use jiff::Timestamp;
use serde_json::json;

/// The longest form that is read.
const FORM: usize = 64 << 10;

/// `?service=…&scope=…&account=…&offline_token=true`
pub(crate) async fn get(issuer: &Issuer, service: &str, headers: &HeaderMap, query: &Query) -> Answer {
    let grant = match Credentials::of(headers) {
        Some(given) if !given.is_anonymous() => Grant::Password(given),
        _ => Grant::Anonymous,
    };
    issue(issuer, service, &grant, query, query.get("offline_token") == Some("true")).await
}

/// `grant_type=password|refresh_token&service=…&client_id=…&scope=…&access_type=offline`
pub(crate) async fn post(issuer: &Issuer, service: &str, body: Body) -> Answer {
    let form = Query::parse(&receive::into_memory(body, FORM).await?);
    let field = |name: &str| form.get(name).unwrap_or_default().to_owned();
    let grant = match form.get("grant_type") {
        Some("password") => {
            Grant::Password(Credentials { name: field("username"), password: field("password") })
        }
        Some("refresh_token") => Grant::Refresh(field("refresh_token")),
        other => {
            let message = format!("grant_type {} is not supported", other.unwrap_or("''"));
            return Err(Refusal::new(StatusCode::BAD_REQUEST, Code::Unsupported, message));
        }
    };
    issue(issuer, service, &grant, &form, form.get("access_type") == Some("offline")).await
}

async fn issue(issuer: &Issuer, service: &str, grant: &Grant, query: &Query, offline: bool) -> Answer {
    let asked = query.get("service").unwrap_or(service);
    if asked != service {
        let message = format!("this token service is for {service}, not for {asked}");
        return Err(Refusal::new(StatusCode::BAD_REQUEST, Code::Denied, message));
    }
    // Several in one parameter, or one in each of several.
    let scopes: Vec<_> =
        query.all("scope").flat_map(str::split_whitespace).filter_map(Scope::parse).collect();
    let issued = issuer.issue(grant, service, &scopes, offline).await.map_err(|error| internal(&error))?;
    let issued = issued.ok_or_else(|| {
        let challenge = HeaderValue::from_static("Basic realm=\"container-runtime token service\"");
        unauthorized("wrong name or password", challenge)
    })?;
    let scope: Vec<_> = issued.scopes.iter().map(Scope::to_string).collect();
    let when = Timestamp::try_from(issued.issued).map_or_else(|_| String::new(), |when| when.to_string());
    let mut document = json!({
        "token": issued.token,
        "access_token": issued.token,
        "expires_in": issued.lifetime.as_secs(),
        "issued_at": when,
        "scope": scope.join(" "),
    });
    if let Some(refresh) = issued.refresh {
        document["refresh_token"] = refresh.into();
    }
    Ok(answer::json("application/json", &document))
}
