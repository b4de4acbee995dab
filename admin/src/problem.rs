//! What is answered when a request is not served: one value, which `crate::dress` words as a page or as
//! `application/problem+json`, by the path that was asked for.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};

use crate::access::NotChanged;
use crate::operations::{Fault, Refusal};

/// Why a request was not served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The HTTP status.
    pub status: StatusCode,
    /// A stable word for programs: the end of the problem's `type`.
    pub kind: &'static str,
    /// A sentence for people. Never inner trouble.
    pub detail: String,
    /// The fields at fault.
    pub faults: Vec<Fault>,
    /// When asking again makes sense, in seconds.
    pub retry_after: Option<u64>,
    /// Inner trouble, for the log alone.
    pub cause: Option<String>,
}

impl Problem {
    /// A problem of a status, a kind and a sentence.
    pub fn new(status: StatusCode, kind: &'static str, detail: impl Into<String>) -> Problem {
        Problem { status, kind, detail: detail.into(), faults: Vec::new(), retry_after: None, cause: None }
    }

    /// Nothing is served at this address.
    pub fn not_found() -> Problem {
        Problem::new(StatusCode::NOT_FOUND, "not-found", "There is nothing at this address.")
    }

    /// Nobody is signed in.
    pub fn not_signed_in() -> Problem {
        Problem::new(StatusCode::UNAUTHORIZED, "not-signed-in", "Sign in first.")
    }

    /// Whoever is signed in may not do this, or the request did not come from our own pages.
    pub fn not_allowed(why: impl Into<String>) -> Problem {
        Problem::new(StatusCode::FORBIDDEN, "not-allowed", why)
    }

    /// The request cannot be read.
    pub fn unreadable(why: impl Into<String>) -> Problem {
        Problem::new(StatusCode::BAD_REQUEST, "unreadable", why)
    }

    /// The body does not come.
    pub fn too_slow() -> Problem {
        Problem::new(StatusCode::REQUEST_TIMEOUT, "too-slow", "The request took too long to arrive.")
    }

    /// Too many failed attempts.
    pub fn too_many(after: Duration) -> Problem {
        let seconds = after.as_secs().max(1);
        Problem {
            retry_after: Some(seconds),
            ..Problem::new(
                StatusCode::TOO_MANY_REQUESTS,
                "too-many-attempts",
                format!("Too many failed attempts to sign in. Try again in {} min.", seconds.div_ceil(60)),
            )
        }
    }

    /// More at once than can be served.
    pub fn busy() -> Problem {
        Problem {
            retry_after: Some(1),
            ..Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "busy",
                "Too many are signing in at this moment. Try again in a few seconds.",
            )
        }
    }

    /// More live pages at once than can be served.
    pub fn too_many_streams(why: impl Into<String>) -> Problem {
        Problem { retry_after: Some(10), ..Problem::new(StatusCode::SERVICE_UNAVAILABLE, "too-many-streams", why) }
    }

    /// More at once than one operator may have, of what the sentence says.
    pub fn too_many_of_hers(why: impl Into<String>) -> Problem {
        Problem { retry_after: Some(10), ..Problem::new(StatusCode::TOO_MANY_REQUESTS, "too-many-at-once", why) }
    }

    /// The server stops before the request has come whole.
    pub fn stopping() -> Problem {
        let why = "The server stops, and the request had not come whole. Nothing was done.";
        Problem { retry_after: Some(1), ..Problem::new(StatusCode::SERVICE_UNAVAILABLE, "stopping", why) }
    }

    /// Our own code failed: the cause is for the log.
    pub fn broken(cause: impl ToString) -> Problem {
        Problem {
            cause: Some(cause.to_string()),
            ..Problem::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "broken",
                "Something went wrong inside. The log has the details under the request id.",
            )
        }
    }

    /// For a bare status that no code of ours made: a body that is too large, a request that cannot be read.
    pub fn of_status(status: StatusCode) -> Problem {
        match status {
            StatusCode::NOT_FOUND => Problem::not_found(),
            StatusCode::METHOD_NOT_ALLOWED => {
                Problem::new(status, "method-not-allowed", "This address does not serve that method.")
            }
            StatusCode::PAYLOAD_TOO_LARGE => Problem::new(
                status,
                "too-large",
                "That is more than is taken here: 64 KiB, or 384 KiB where a list is sent.",
            ),
            status if status.is_server_error() => Problem::broken(status),
            status => Problem::new(status, "unreadable", "The request cannot be read."),
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Problem {
        let sentence = refusal.sentence();
        match refusal {
            Refusal::Faults(faults) => {
                Problem { faults, ..Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", sentence) }
            }
            Refusal::NoSuch(what) => {
                Problem::new(StatusCode::NOT_FOUND, "not-found", format!("There is no such {what}."))
            }
            Refusal::Conflict(why) => Problem::new(StatusCode::CONFLICT, "conflict", why),
            Refusal::TooMany(why) => Problem::too_many_of_hers(why),
            Refusal::Away(cause) => Problem {
                retry_after: Some(2),
                cause: Some(cause),
                ..Problem::new(StatusCode::SERVICE_UNAVAILABLE, "store-away", sentence)
            },
            Refusal::Broken(cause) => Problem::broken(cause),
        }
    }
}

impl From<NotChanged> for Problem {
    fn from(refused: NotChanged) -> Problem {
        match refused {
            NotChanged::Faults(faults) => Refusal::Faults(faults).into(),
            NotChanged::Conflict => Refusal::Conflict("your record changed meanwhile; try again".into()).into(),
            NotChanged::NotNow(refused) => crate::api::session::problem(refused),
        }
    }
}

impl From<common::store::StoreError> for Problem {
    fn from(error: common::store::StoreError) -> Problem {
        Refusal::from(error).into()
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.detail)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        // Bare: the words are put on by the one place that knows the request.
        let mut response = HttpResponse::new(self.status);
        response.extensions_mut().insert(self.clone());
        response
    }
}
