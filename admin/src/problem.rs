//! What is answered when a request is not served: one value, which `crate::dress` words as a page or as
//! `application/problem+json`, by the path that was asked for.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};

use crate::access::NotChanged;
use crate::operations::{Fault, Refusal};
pub use crate::problem_kind::Kind;

/// Why a request was not served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The HTTP status.
    pub status: StatusCode,
    /// What kind of problem it is.
    pub kind: Kind,
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
    /// A problem of a kind, with a sentence; its status is the kind's.
    pub fn new(kind: Kind, detail: impl Into<String>) -> Problem {
        let (status, detail) = (kind.status(), detail.into());
        Problem { status, kind, detail, faults: Vec::new(), retry_after: None, cause: None }
    }

    /// Nothing is served at this address.
    pub fn not_found() -> Problem {
        Problem::new(Kind::NotFound, "There is nothing at this address.")
    }

    /// Nobody is signed in.
    pub fn not_signed_in() -> Problem {
        Problem::new(Kind::NotSignedIn, "Sign in first.")
    }

    /// Whoever is signed in may not do this, or the request did not come from our own pages.
    pub fn not_allowed(why: impl Into<String>) -> Problem {
        Problem::new(Kind::NotAllowed, why)
    }

    /// The request cannot be read.
    pub fn unreadable(why: impl Into<String>) -> Problem {
        Problem::new(Kind::Unreadable, why)
    }

    /// The body does not come.
    pub fn too_slow() -> Problem {
        Problem::new(Kind::TooSlow, "The request took too long to arrive.")
    }

    /// Too many failed attempts.
    pub fn too_many(after: Duration) -> Problem {
        let seconds = after.as_secs().max(1);
        Problem {
            retry_after: Some(seconds),
            ..Problem::new(
                Kind::TooManyAttempts,
                format!("Too many failed attempts to sign in. Try again in {} min.", seconds.div_ceil(60)),
            )
        }
    }

    /// More at once than can be served, of what the sentence says.
    pub fn busy(after: Duration, why: impl Into<String>) -> Problem {
        Problem { retry_after: Some(after.as_secs()), ..Problem::new(Kind::Busy, why) }
    }

    /// More live pages at once than can be served.
    pub fn too_many_streams(why: impl Into<String>) -> Problem {
        Problem { retry_after: Some(10), ..Problem::new(Kind::TooManyStreams, why) }
    }

    /// More at once than one operator may have, of what the sentence says.
    pub fn too_many_of_hers(why: impl Into<String>) -> Problem {
        Problem { retry_after: Some(10), ..Problem::new(Kind::TooManyAtOnce, why) }
    }

    /// The server stops before the request has come whole.
    pub fn stopping() -> Problem {
        let why = "The server stops, and the request had not come whole. Nothing was done.";
        Problem { retry_after: Some(1), ..Problem::new(Kind::Stopping, why) }
    }

    /// Our own code failed: the cause is for the log.
    pub fn broken(cause: impl ToString) -> Problem {
        Problem {
            cause: Some(cause.to_string()),
            ..Problem::new(Kind::Broken, "Something went wrong inside. The log has the details under the request id.")
        }
    }

    /// For a bare status that no code of ours made: a body that is too large, a request that cannot be read.
    pub fn of_status(status: StatusCode) -> Problem {
        match status {
            StatusCode::NOT_FOUND => Problem::not_found(),
            StatusCode::METHOD_NOT_ALLOWED => {
                Problem::new(Kind::MethodNotAllowed, "This address does not serve that method.")
            }
            StatusCode::PAYLOAD_TOO_LARGE => Problem::new(
                Kind::TooLarge,
                "That is more than is taken here: 64 KiB, or 384 KiB where a list is sent.",
            ),
            status if status.is_server_error() => Problem::broken(status),
            status => Problem { status, ..Problem::unreadable("The request cannot be read.") },
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Problem {
        let sentence = refusal.sentence();
        match refusal {
            Refusal::Faults(faults) => Problem { faults, ..Problem::new(Kind::Invalid, sentence) },
            Refusal::NoSuch(what) => Problem::new(Kind::NotFound, format!("There is no such {what}.")),
            Refusal::Conflict(why) => Problem::new(Kind::Conflict, why),
            Refusal::TooMany(why) => Problem::too_many_of_hers(why),
            Refusal::Away(cause) => {
                Problem { retry_after: Some(2), cause: Some(cause), ..Problem::new(Kind::StoreAway, sentence) }
            }
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
