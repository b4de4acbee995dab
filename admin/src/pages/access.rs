//! Who may come in: one's own password and sessions, and for admins the operators.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use common::model::{Operator, Session, SessionId, Timestamp};
use serde::Serialize;

use super::words::{self, When};
use super::{Ask, see_other};
use crate::access::{SESSION_COOKIE, SignedIn, removal_cookie};
use crate::operations::Refusal;
use crate::problem::Problem;
use crate::server::State;

#[derive(Serialize)]
struct View {
    username: String,
    role: &'static str,
    sessions: Vec<SessionRow>,
    /// For admins only.
    operators: Option<Vec<OperatorRow>>,
}

#[derive(Serialize)]
struct SessionRow {
    id: String,
    here: bool,
    address: String,
    browser: &'static str,
    agent: String,
    since: When,
    used: When,
}

#[derive(Serialize)]
struct OperatorRow {
    id: String,
    username: String,
    role: &'static str,
    since: When,
    one_time: bool,
    herself: bool,
}

/// `GET /access`
pub async fn show(req: HttpRequest, state: Data<State>, who: SignedIn) -> Result<HttpResponse, Problem> {
    let now = state.now();
    let sessions = state.operations.sessions(&who.operator, now).await?;
    let operators = if who.administers() {
        let all = state.operations.operators().await?;
        Some(all.iter().map(|one| OperatorRow::of(one, &who.operator, now)).collect())
    } else {
        None
    };
    let view = View {
        username: who.operator.username.clone(),
        role: who.operator.role.as_str(),
        sessions: sessions.iter().map(|session| SessionRow::of(session, &who, now)).collect(),
        operators,
    };
    Ask { req: &req, state: &state, who: &who }.page("access.html", "Access", "access", &view)
}

/// `POST /access/sessions/{id}/end`
pub async fn end_session(
    req: HttpRequest,
    state: Data<State>,
    who: SignedIn,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let ask = Ask { req: &req, state: &state, who: &who };
    let id = SessionId::parse(&id).map_err(|_| Refusal::NoSuch("session"))?;
    match state.operations.end_session(&id, &who.operator, state.now()).await {
        Ok(done) => Ok(ask.done(&done, "/access")),
        Err(refusal) => ask.refused(refusal, "/access"),
    }
}

/// `POST /access/sign-out`
pub async fn sign_out_everywhere(req: HttpRequest, state: Data<State>, who: SignedIn) -> Result<HttpResponse, Problem> {
    let ask = Ask { req: &req, state: &state, who: &who };
    match state.operations.sign_out_everywhere(&who.operator.id, &who.operator, state.now()).await {
        Ok(_) => {
            let mut response = see_other("/login?why=everywhere");
            response.add_cookie(&removal_cookie(SESSION_COOKIE)).map_err(Problem::broken)?;
            Ok(response)
        }
        Err(refusal) => ask.refused(refusal, "/access"),
    }
}

impl SessionRow {
    fn of(session: &Session, who: &SignedIn, now: Timestamp) -> SessionRow {
        SessionRow {
            id: session.id.to_string(),
            here: session.id == who.session.id,
            address: session.address.clone(),
            browser: browser(&session.browser),
            agent: session.browser.clone(),
            since: words::when(session.created_at, now),
            used: words::when(session.used_at, now),
        }
    }
}

impl OperatorRow {
    fn of(operator: &Operator, asks: &Operator, now: Timestamp) -> OperatorRow {
        OperatorRow {
            id: operator.id.to_string(),
            username: operator.username.clone(),
            role: operator.role.as_str(),
            since: words::when(operator.created_at, now),
            one_time: operator.one_time,
            herself: operator.id == asks.id,
        }
    }
}

/// A browser's name, by what it says of itself; the whole of that is shown beside it. Each also claims to be those
/// after it.
fn browser(agent: &str) -> &'static str {
    const KNOWN: [(&str, &str); 6] = [
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
        ("curl/", "curl"),
    ];
    let known = KNOWN.iter().find(|(mark, _)| agent.contains(mark)).map(|(_, name)| *name);
    known.unwrap_or(if agent.is_empty() { "unknown" } else { "another program" })
}

#[cfg(test)]
mod tests {
    use super::browser;

    #[test]
    fn browsers_are_told_apart_though_they_claim_to_be_each_other() {
        for (agent, name) in [
            (
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Safari/537.36 Edg/120.0",
                "Edge",
            ),
            (
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Safari/537.36",
                "Chrome",
            ),
            ("Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 Safari/605.1.15", "Safari"),
            ("Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0", "Firefox"),
            ("curl/7.88.1", "curl"),
            ("<script>", "another program"),
            ("", "unknown"),
        ] {
            assert_eq!(browser(agent), name);
        }
    }
}
