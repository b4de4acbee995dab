//! `GET /live?page=`: what one browser reads of one page, as server-sent events.
//!
//! Unnamed events are the page's live part, each the whole of it, with an id by which a browser that comes back is caught
//! up or told that it is (`well`). `trouble` says why the page may be out of date; `ended` that its session is over;
//! `beat` comes every few seconds, so that both ends notice when the other is gone.

use std::convert::Infallible;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, ContentEncoding};
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use futures_util::stream;
use tokio_util::sync::CancellationToken;

use super::fragment::event;
use super::hub::{Key, Place};
use super::{Topic, pages};
use crate::access::{SessionWatch, SignedIn, Standing, role_name};
use crate::input::Query;
use crate::operations::Refusal;
use crate::problem::Problem;
use crate::server::State;

/// An address that is longer is none of ours.
const LONGEST: usize = 4_000;

/// `GET /live?page=PATH_AND_QUERY`
pub async fn stream(
    req: HttpRequest,
    state: Data<State>,
    who: SignedIn,
    query: Query,
) -> Result<HttpResponse, Problem> {
    query.only(&["page"])?;
    let address = query.get("page").unwrap_or_default();
    let found = Some(address).filter(|address| address.len() <= LONGEST).and_then(pages::find);
    let (page, id, query) =
        found.ok_or_else(|| Refusal::field("page", "must be the address of a page that is live"))?;
    let role = who.operator.role;
    if let Some(needed) = pages::needs(page).filter(|needed| role < *needed) {
        let why = format!("This needs the role {}; yours is {}.", role_name(needed), role_name(role));
        return Err(Problem::not_allowed(why));
    }
    let key = Key { path: page.path, id, query, role };
    is_there(&state, &(page.topic)(&key.id)).await?;
    let place = state.live.take_place(page, key, &who)?;
    let has = req.headers().get("last-event-id").and_then(|id| id.to_str().ok()).map(str::to_owned);
    let reader = Reader {
        place,
        end: state.live.end(),
        session: SessionWatch::new(&state, &who),
        token: who.session.csrf,
        returned: has.is_some(),
        has,
        troubled: false,
        fresh: true,
        over: false,
    };
    let body = stream::unfold(reader, |mut reader| async move {
        let text = reader.next().await?;
        Some((Ok::<_, Infallible>(Bytes::from(text)), reader))
    });
    Ok(HttpResponse::build(StatusCode::OK)
        .content_type("text/event-stream")
        .insert_header((header::CACHE_CONTROL, "no-store"))
        // Proxies pass on what they get as they get it, and nothing compresses it.
        .insert_header(("x-accel-buffering", "no"))
        .insert_header(ContentEncoding::Identity)
        .streaming(body))
}

/// Refuses to follow what is not there. What goes while it is followed is said on its page.
async fn is_there(state: &State, topic: &Topic) -> Result<(), Refusal> {
    let missing = match topic {
        Topic::Pool | Topic::Events => None,
        Topic::Nothing => Some("host or cluster"),
        Topic::Host(id) => state.store.host(id).await?.is_none().then_some("host"),
        Topic::Cluster(id) => state.store.cluster(id).await?.is_none().then_some("cluster"),
    };
    missing.map_or(Ok(()), |what| Err(Refusal::NoSuch(what)))
}

/// Where one browser is.
struct Reader {
    place: Place,
    end: CancellationToken,
    session: SessionWatch,
    token: String,
    /// It was here before, and waits to hear whether it is caught up.
    returned: bool,
    /// The id of the text that it has.
    has: Option<String>,
    troubled: bool,
    /// Nothing was looked at yet.
    fresh: bool,
    over: bool,
}

impl Reader {
    /// What is sent next; `None` ends the stream.
    async fn next(&mut self) -> Option<String> {
        while !self.over {
            if std::mem::take(&mut self.fresh)
                && let Some(text) = self.news()
            {
                return Some(text);
            }
            tokio::select! {
                biased;
                () = self.end.cancelled() => return None,
                changed = self.place.shown.changed() => {
                    changed.ok()?;
                    self.fresh = true;
                }
                () = self.session.due() => return Some(self.sign_of_life().await),
            }
        }
        None
    }

    /// What the browser does not have yet.
    fn news(&mut self) -> Option<String> {
        let shown = self.place.shown.borrow_and_update().clone();
        if let Some(why) = &shown.trouble {
            self.troubled = true;
            return Some(event(Some("trouble"), None, why));
        }
        let fragment = shown.fragment?;
        let was_behind = std::mem::take(&mut self.troubled) | std::mem::take(&mut self.returned);
        if self.has.as_ref() != Some(&fragment.id) {
            self.has = Some(fragment.id.clone());
            return Some(fragment.to_event(&self.token));
        }
        was_behind.then(|| event(Some("well"), None, ""))
    }

    async fn sign_of_life(&mut self) -> String {
        let standing = self.session.look().await;
        self.over = standing != Standing::Holds;
        let name = match standing {
            Standing::Holds => "beat",
            Standing::OtherRole => "changed",
            Standing::Over => "ended",
        };
        event(Some(name), None, "")
    }
}
