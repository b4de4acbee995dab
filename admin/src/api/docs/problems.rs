//! The problems that may be answered, for the document.

use schemars::JsonSchema;

/// Why a request was not served, as RFC 9457 has it.
#[derive(JsonSchema)]
#[schemars(rename = "Problem")]
#[allow(dead_code, reason = "described; crate::api::problem_response makes it")]
pub struct ProblemWords {
    /// `urn:poolmanager:problem:` and a word that stays the same.
    r#type: String,
    /// The status in words.
    title: String,
    /// The HTTP status.
    status: u16,
    /// A sentence for people.
    detail: String,
    /// The log has more under this.
    request_id: String,
    /// The first field at fault.
    #[schemars(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    /// Every field at fault.
    #[schemars(skip_serializing_if = "Option::is_none")]
    errors: Option<Vec<FaultWords>>,
}

/// One thing wrong with what was given.
#[derive(JsonSchema)]
#[schemars(rename = "Fault")]
#[allow(dead_code, reason = "described; crate::api::problem_response makes it")]
struct FaultWords {
    /// As the request has it.
    field: String,
    /// Reads as a sentence after the field's name.
    reason: String,
}

/// A status, the ends of the `type`s that go with it, and when.
pub const PROBLEMS: [(u16, &str, &str); 13] = [
    (400, "unreadable", "The body is not JSON, or no object."),
    (401, "not-signed-in, wrong-credentials", "Nobody is signed in; the name or the password is wrong."),
    (
        403,
        "not-allowed, password-needed",
        "The role does not allow it, a password of one's own must be chosen first, the header X-CSRF-Token is missing or wrong, or the request came from another site.",
    ),
    (404, "not-found", "There is nothing at this address, or it is gone."),
    (405, "method-not-allowed", "The address does not serve that method; Allow names those it does."),
    (408, "too-slow", "The body took longer than 10 s."),
    (409, "conflict", "What is there now does not allow it; the detail says what to do."),
    (413, "too-large", "The body is larger than 64 KiB, or 384 KiB where a list is taken."),
    (415, "not-json", "The body is not application/json."),
    (422, "invalid", "Fields or parameters that cannot be taken; errors names each with the reason."),
    (
        429,
        "too-many-attempts, too-many-at-once",
        "Too many failed attempts to sign in, or more followed at once than one operator may; Retry-After says when to try again.",
    ),
    (500, "broken", "Our own fault; the log has it under the request id."),
    (
        503,
        "store-away, busy, stopping",
        "The store does not answer, too many sign in at once, or the server stops; Retry-After says when to try again.",
    ),
];
