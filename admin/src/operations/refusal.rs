//! Why an operation was not done, in words for whoever asked.

use common::model::IllegalMove;
use common::store::StoreError;

/// Why an operation was not done. Nothing was changed, except as [`Refusal::Away`] says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// What was given cannot be taken; every fault that was found, in the order of the form.
    Faults(Vec<Fault>),
    /// There is no such record.
    NoSuch(&'static str),
    /// What is there now does not allow it; a sentence that says what to do.
    Conflict(String),
    /// This operator has as many at once as one may have; a sentence that says what to do.
    TooMany(String),
    /// The store does not answer. What was asked may or may not have been done; asking again is safe.
    Away(String),
    /// The store's data or our code is wrong; for the log.
    Broken(String),
}

/// One thing wrong with what was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The field's name, as the JSON has it.
    pub field: String,
    /// What is wrong: reads as a sentence after the field's name.
    pub reason: String,
}

impl Fault {
    /// A fault of a field.
    pub fn new(field: &str, reason: impl Into<String>) -> Fault {
        Fault { field: field.to_owned(), reason: reason.into() }
    }
}

impl Refusal {
    /// One field is at fault.
    pub fn field(field: &str, reason: impl Into<String>) -> Refusal {
        Refusal::Faults(vec![Fault::new(field, reason)])
    }

    /// The sentence that people are shown.
    pub fn sentence(&self) -> String {
        match self {
            Refusal::Faults(faults) => {
                let all: Vec<String> =
                    faults.iter().map(|fault| format!("{}: {}", fault.field, fault.reason)).collect();
                all.join("; ")
            }
            Refusal::NoSuch(what) => format!("there is no such {what} any more"),
            Refusal::Conflict(why) | Refusal::TooMany(why) => why.clone(),
            Refusal::Away(_) => "the store does not answer; try again in a moment".into(),
            Refusal::Broken(_) => "something went wrong inside; the log has the details".into(),
        }
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Refusal {
        match error {
            StoreError::NotFound(what) => Refusal::NoSuch(what),
            StoreError::Conflict(what) => Refusal::Conflict(format!("the {what} changed meanwhile; look again")),
            StoreError::Taken { field } => Refusal::field(field, "is taken"),
            StoreError::LastAdmin => Refusal::Conflict(
                "nobody else has the role admin: somebody must keep it, to look after the operators".into(),
            ),
            StoreError::Full => Refusal::field("host", "has no room"),
            StoreError::Unavailable(why) => Refusal::Away(why),
            StoreError::Broken(why) => Refusal::Broken(why),
        }
    }
}

impl From<IllegalMove> for Refusal {
    fn from(refused: IllegalMove) -> Refusal {
        Refusal::Conflict(refused.to_string())
    }
}
