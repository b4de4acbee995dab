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
