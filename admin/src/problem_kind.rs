//! The kinds of problems there are: each a stable word for programs, a status, and when it is told. What the API's document
//! and docs/admin.md say of them is held to this list.

use actix_web::http::StatusCode;

/// What kind of problem it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Unreadable,
    NotSignedIn,
    WrongCredentials,
    WrongSecret,
    NotAllowed,
    PasswordNeeded,
    NotFound,
    MethodNotAllowed,
    TooSlow,
    Conflict,
    LookingAlready,
    NotLeading,
    TooLarge,
    NotJson,
    Invalid,
    TooManyAttempts,
    TooManyAtOnce,
    Broken,
    StoreAway,
    Busy,
    TooManyStreams,
    Stopping,
}

/// Who is told of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Callers {
    /// Whoever calls the operators' API.
    Api,
    /// Pages that are live, and nobody else.
    LivePages,
    /// Programs of the same pool, and who reads the metrics.
    Programs,
}

impl Kind {
    /// Every kind, by status.
    pub const ALL: [Kind; 22] = [
        Kind::Unreadable,
        Kind::NotSignedIn,
        Kind::WrongCredentials,
        Kind::WrongSecret,
        Kind::NotAllowed,
        Kind::PasswordNeeded,
        Kind::NotFound,
        Kind::MethodNotAllowed,
        Kind::TooSlow,
        Kind::Conflict,
        Kind::LookingAlready,
        Kind::NotLeading,
        Kind::TooLarge,
        Kind::NotJson,
        Kind::Invalid,
        Kind::TooManyAttempts,
        Kind::TooManyAtOnce,
        Kind::Broken,
        Kind::StoreAway,
        Kind::Busy,
        Kind::TooManyStreams,
        Kind::Stopping,
    ];

    /// The end of the problem's `type`.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Unreadable => "unreadable",
            Kind::NotSignedIn => "not-signed-in",
            Kind::WrongCredentials => "wrong-credentials",
            Kind::WrongSecret => "wrong-secret",
            Kind::NotAllowed => "not-allowed",
            Kind::PasswordNeeded => "password-needed",
            Kind::NotFound => "not-found",
            Kind::MethodNotAllowed => "method-not-allowed",
            Kind::TooSlow => "too-slow",
            Kind::Conflict => "conflict",
            Kind::LookingAlready => "looking-already",
            Kind::NotLeading => "not-leading",
            Kind::TooLarge => "too-large",
            Kind::NotJson => "not-json",
            Kind::Invalid => "invalid",
            Kind::TooManyAttempts => "too-many-attempts",
            Kind::TooManyAtOnce => "too-many-at-once",
            Kind::Broken => "broken",
            Kind::StoreAway => "store-away",
            Kind::Busy => "busy",
            Kind::TooManyStreams => "too-many-streams",
            Kind::Stopping => "stopping",
        }
    }

    /// The status that goes with it.
    pub fn status(self) -> StatusCode {
        match self {
            Kind::Unreadable => StatusCode::BAD_REQUEST,
            Kind::NotSignedIn | Kind::WrongCredentials | Kind::WrongSecret => StatusCode::UNAUTHORIZED,
            Kind::NotAllowed | Kind::PasswordNeeded => StatusCode::FORBIDDEN,
            Kind::NotFound => StatusCode::NOT_FOUND,
            Kind::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Kind::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Kind::Conflict | Kind::LookingAlready | Kind::NotLeading => StatusCode::CONFLICT,
            Kind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Kind::NotJson => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Kind::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
            Kind::TooManyAttempts | Kind::TooManyAtOnce => StatusCode::TOO_MANY_REQUESTS,
            Kind::Broken => StatusCode::INTERNAL_SERVER_ERROR,
            Kind::StoreAway | Kind::Busy | Kind::TooManyStreams | Kind::Stopping => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// Who is told of it.
    pub fn callers(self) -> Callers {
        match self {
            Kind::WrongSecret | Kind::LookingAlready | Kind::NotLeading => Callers::Programs,
            Kind::TooManyStreams => Callers::LivePages,
            Kind::Unreadable
            | Kind::NotSignedIn
            | Kind::WrongCredentials
            | Kind::NotAllowed
            | Kind::PasswordNeeded
            | Kind::NotFound
            | Kind::MethodNotAllowed
            | Kind::TooSlow
            | Kind::Conflict
            | Kind::TooLarge
            | Kind::NotJson
            | Kind::Invalid
            | Kind::TooManyAttempts
            | Kind::TooManyAtOnce
            | Kind::Broken
            | Kind::StoreAway
            | Kind::Busy
            | Kind::Stopping => Callers::Api,
        }
    }

    /// When it is told, in a sentence.
    pub fn when(self) -> &'static str {
        match self {
            Kind::Unreadable => "The body is not JSON, or no object.",
            Kind::NotSignedIn => "Nobody is signed in.",
            Kind::WrongCredentials => "The name or the password is wrong.",
            Kind::WrongSecret => "The secret that goes with this address is missing or wrong.",
            Kind::NotAllowed => {
                "The role does not allow it, the header X-CSRF-Token is missing or wrong, or the request came from another site."
            }
            Kind::PasswordNeeded => "Signed in with a one-time password: one of one's own must be chosen first.",
            Kind::NotFound => "There is nothing at this address, or it is gone.",
            Kind::MethodNotAllowed => "The address does not serve that method; Allow names those it does.",
            Kind::TooSlow => "The body took longer than 10 s.",
            Kind::Conflict => "What is there now does not allow it; the detail says what to do.",
            Kind::LookingAlready => "Every host is being looked at already.",
            Kind::NotLeading => "Another admin leads the pool, or none.",
            Kind::TooLarge => "The body is larger than 64 KiB, or 384 KiB where a list is taken.",
            Kind::NotJson => "The body is not application/json.",
            Kind::Invalid => "Fields or parameters that cannot be taken; errors names each with the reason.",
            Kind::TooManyAttempts => "Too many failed attempts to sign in; Retry-After says when to try again.",
            Kind::TooManyAtOnce => {
                "More logs are followed, or more calls wait for events, than one operator may have at once; the detail says which."
            }
            Kind::Broken => "Our own fault; the log has it under the request id.",
            Kind::StoreAway => "The store does not answer; Retry-After says when to try again.",
            Kind::Busy => "Too many sign in, or follow logs, at this moment; Retry-After says when to try again.",
            Kind::TooManyStreams => "Too many pages are followed live at this moment.",
            Kind::Stopping => "The server stops, and the body had not come whole. Nothing was done.",
        }
    }

    /// Those that callers of the operators' API are told.
    pub fn of_api() -> impl Iterator<Item = Kind> {
        Kind::ALL.into_iter().filter(|kind| kind.callers() == Callers::Api)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Rows "| 503 | `busy` | ... |" of a page.
    fn rows(page: &str) -> BTreeSet<(u16, String)> {
        let cells = page.lines().filter_map(|line| {
            let mut cells = line.strip_prefix("| ")?.split(" | ");
            let status = cells.next()?.parse().ok()?;
            Some((status, cells.next()?.strip_prefix('`')?.strip_suffix('`')?.to_owned()))
        });
        cells.collect()
    }

    #[test]
    fn the_documents_list_is_the_codes() {
        let told = Kind::ALL.into_iter().filter(|kind| kind.callers() != Callers::Programs);
        let ours: BTreeSet<_> = told.map(|kind| (kind.status().as_u16(), kind.as_str().to_owned())).collect();
        assert_eq!(rows(include_str!("../../docs/admin.md")), ours);
    }

    #[test]
    fn each_kind_is_there_once_by_status() {
        let words: BTreeSet<_> = Kind::ALL.iter().map(|kind| kind.as_str()).collect();
        assert_eq!(words.len(), Kind::ALL.len());
        assert!(Kind::ALL.is_sorted_by_key(|kind| kind.status().as_u16()));
    }
}
