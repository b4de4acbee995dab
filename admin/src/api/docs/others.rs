//! What the document says of the pool as a whole, of events and of sessions.

use serde_json::json;

use super::bodies::SignInGiven;
use super::op::Op;
use crate::api::{Part, events::Tail, session::SessionShape, shapes};
use crate::explain::Explanation;

/// Signing in and out.
pub fn session() -> Vec<Op> {
    vec![
        Op::post("/api/v1/session", "signIn", "Sign in")
            .about("The answer brings the cookie `pm_session`, and the token that every change must carry in `X-CSRF-Token`.")
            .takes::<SignInGiven>(json!({"username": "admin", "password": "..."}))
            .answers::<SessionShape>(200, "Signed in"),
        Op::get("/api/v1/session", "getSession", "Who is signed in").answers::<SessionShape>(200, "The session"),
        Op::delete("/api/v1/session", "signOut", "Sign out").answers_nothing(204, "Signed out"),
    ]
}

/// The pool and what happened.
pub fn pool() -> Vec<Op> {
    vec![
        Op::get("/api/v1/explain", "explainPool", "Why the pool is as it is")
            .answers::<Explanation>(200, "Totals, and the reasons that hold most back"),
    ]
}

/// What happened.
pub fn events() -> Vec<Op> {
    let filters = |op: Op| {
        op.query("host", "about the host with this id")
            .query("cluster", "about the cluster with this id")
            .query_of("kind", shapes::kinds(), "of this kind; several are parted by commas")
            .query("actor", "asked by `reconciler`, `user:ID` or `operator:NAME`")
            .query("since", "at this time or later, RFC 3339")
            .query("until", "before this time")
    };
    vec![
        filters(Op::get("/api/v1/events", "listEvents", "Events, newest first"))
            .about("Of a `cluster` with its claim (`applied`), which is derived from the lease and comes beside the `limit`.")
            .in_parts()
            .answers::<Part<shapes::EventShape>>(200, "A part of them"),
        filters(Op::get("/api/v1/events/tail", "tailEvents", "Follow events"))
            .about("The answer comes when there is something, and at the end of the wait in any case. No event is missed or told twice.")
            .query("after", "`next` of the answer before; from now on if not given")
            .query("wait", "so many seconds at most, 0 to 30")
            .answers::<Tail>(200, "Oldest first, at most 200"),
    ]
}
