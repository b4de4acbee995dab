//! What is typed to confirm something that destroys, and the answer to it: done, the page again with what is wrong, or
//! elsewhere with the reason.

use actix_web::HttpResponse;
use serde::Serialize;

use super::Ask;
use crate::operations::{Done, Fault, Refusal};
use crate::problem::Problem;

/// What was typed, and what is wrong with it.
#[derive(Debug, Default, Serialize)]
pub struct Confirming {
    typed: String,
    /// At the field.
    error: Option<String>,
    /// About the rest of the form.
    other: Option<String>,
}

impl Confirming {
    /// Typed, and refused for something else.
    pub fn typed(typed: &str, other: Option<String>) -> Confirming {
        Confirming { typed: typed.to_owned(), error: None, other }
    }

    fn refused(typed: &str, faults: Vec<Fault>) -> Confirming {
        let mut confirming = Confirming::typed(typed, None);
        for Fault { field, reason } in faults {
            let (place, words) = match field.as_str() {
                "confirm" => (&mut confirming.error, reason),
                _ => (&mut confirming.other, format!("{field}: {reason}")),
            };
            place.get_or_insert(words);
        }
        confirming
    }
}

/// Where the answer leads.
pub struct Ways<'a> {
    /// When it was done.
    pub done: &'a str,
    /// When it was not, and typing something else does not help.
    pub refused: &'a str,
}

/// The answer to a form that confirms something; `again` is its page with what is wrong.
pub async fn answer(
    ask: &Ask<'_>,
    result: Result<Done, Refusal>,
    typed: &str,
    ways: Ways<'_>,
    again: impl AsyncFnOnce(Confirming) -> Result<HttpResponse, Problem>,
) -> Result<HttpResponse, Problem> {
    match result {
        Ok(done) => Ok(ask.done(&done, ways.done)),
        Err(Refusal::Faults(faults)) => again(Confirming::refused(typed, faults)).await,
        Err(Refusal::NoSuch(what)) => Ok(ask.gone(what, "/hosts")),
        Err(refusal) => ask.refused(refusal, ways.refused),
    }
}
