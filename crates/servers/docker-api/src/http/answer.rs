//! Answers: JSON bodies, and the one table from error classes to status codes.

use crate::http::heap;
use axum::Json;
use axum::body::Body;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use errors::Class;
use serde::Serialize;

/// What every handler returns.
pub(crate) type Answer = Result<Response, Refusal>;

/// An error on its way to the client.
#[derive(Debug)]
pub(crate) struct Refusal(pub(crate) errors::Error);

impl<E: Into<errors::Error>> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

/// The body of every error.
#[derive(Debug, Serialize)]
struct Message {
    message: String,
}

/// The only place where a class becomes a status code.
pub(crate) fn status(class: Class) -> StatusCode {
    match class {
        Class::NotFound => StatusCode::NOT_FOUND,
        Class::Conflict => StatusCode::CONFLICT,
        Class::AlreadyDone => StatusCode::NOT_MODIFIED,
        Class::Invalid => StatusCode::BAD_REQUEST,
        Class::Denied => StatusCode::FORBIDDEN,
        Class::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Class::Unsupported => StatusCode::NOT_IMPLEMENTED,
        Class::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = status(self.0.class());
        if self.0.class() == Class::Internal {
            tracing::error!(error = %self.0, "request failed");
        }
        failure(status, self.0.to_string())
    }
}

/// An error answer with Docker's body; 304 has none.
pub(crate) fn failure(status: StatusCode, message: String) -> Response {
    if status == StatusCode::NOT_MODIFIED {
        return status.into_response();
    }
    (status, Json(Message { message })).into_response()
}

/// 200 with a JSON body.
pub(crate) fn json<T: Serialize>(body: &T) -> Answer {
    json_as(StatusCode::OK, body)
}

/// The same, of about so many bytes.
pub(crate) fn json_of_about<T: Serialize>(size: usize, body: &T) -> Answer {
    write_json(StatusCode::OK, size, body)
}

/// A JSON body under another status.
pub(crate) fn json_as<T: Serialize>(status: StatusCode, body: &T) -> Answer {
    write_json(status, 0, body)
}

fn write_json<T: Serialize>(status: StatusCode, size: usize, body: &T) -> Answer {
    let mut text = Vec::with_capacity(size);
    serde_json::to_writer(&mut text, body)
        .map_err(|error| errors::Error::wrap(Class::Internal, error).context("write the answer"))?;
    text.push(b'\n'); // as Docker does: kind to people who use curl
    heap::after_answering(text.len());
    Ok((status, [(header::CONTENT_TYPE, "application/json")], Body::from(text)).into_response())
}

/// 204.
pub(crate) fn no_content() -> Answer {
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// 200 without a body.
pub(crate) fn empty() -> Answer {
    Ok(StatusCode::OK.into_response())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;

    async fn parts(response: Response) -> (u16, String) {
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn every_class_has_its_status_and_dockers_body() {
        let table = [
            (Class::NotFound, 404),
            (Class::Conflict, 409),
            (Class::Invalid, 400),
            (Class::Denied, 403),
            (Class::Unavailable, 503),
            (Class::Unsupported, 501),
            (Class::Internal, 500),
        ];
        for (class, code) in table {
            let refusal = Refusal::from(errors::Error::new(class, "No such container: web"));
            assert_eq!(
                parts(refusal.into_response()).await,
                (code, r#"{"message":"No such container: web"}"#.to_owned())
            );
        }
    }

    #[tokio::test]
    async fn a_state_already_reached_has_no_body() {
        let refusal = Refusal::from(errors::Error::new(Class::AlreadyDone, "already started"));
        assert_eq!(parts(refusal.into_response()).await, (304, String::new()));
    }
}
