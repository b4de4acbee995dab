//! Watching: one change stream for all who watch from now on, and one each for those who go on from a cursor.
//!
//! The driver mends a broken connection by itself where it can; where it cannot, the stream is opened again here.

use std::time::Duration;

use futures_util::{StreamExt, stream};
use mongodb::bson::{Document, doc};
use mongodb::change_stream::ChangeStream as Source;
use mongodb::change_stream::event::{ChangeStreamEvent, ResumeToken};
use mongodb::{Client, Database};
use tokio::sync::{Mutex, broadcast};
use tokio::task::AbortHandle;

use super::error;
use super::rights::Rights;
use crate::model::{ClusterId, HostId};
use crate::store::{Change, ChangeStream, StoreResult, WatchCursor};

/// How many changes a watcher may be behind before it is told that it missed some.
const BEHIND: usize = 4_096;

/// Between two tries to open the stream again: an election takes seconds.
const AGAIN: Duration = Duration::from_millis(500);

type Next = (Change, WatchCursor);

/// The change streams of this process, on a client of their own: a waiting stream keeps a connection to itself.
pub(super) struct Watches {
    client: Client,
    database: Database,
    shared: Mutex<Option<(broadcast::Sender<Next>, AbortHandle)>>,
    deadline: Duration,
    rights: Rights,
}

impl Watches {
    pub(super) fn new(client: Client, database: &str, deadline: Duration, rights: Rights) -> Watches {
        Watches { database: client.database(database), client, shared: Mutex::new(None), deadline, rights }
    }

    pub(super) async fn watch(&self, since: Option<WatchCursor>) -> StoreResult<ChangeStream> {
        match since {
            None => Ok(listen(self.join().await?)),
            Some(cursor) => {
                let follower = match token_of(&cursor) {
                    Some(token) => self.open(Some(token)).await?,
                    None => Follower { missed: true, ..self.open(None).await? },
                };
                Ok(Box::pin(stream::unfold(follower, |mut follower| async move {
                    let next = follower.next().await;
                    Some((next, follower))
                })))
            }
        }
    }

    /// The shared stream; whatever is written after this returns will be in it.
    async fn join(&self) -> StoreResult<broadcast::Receiver<Next>> {
        let mut shared = self.shared.lock().await;
        if let Some((sender, task)) = shared.as_ref()
            && !task.is_finished()
        {
            return Ok(sender.subscribe());
        }
        let mut follower = self.open(None).await?;
        let (sender, receiver) = broadcast::channel(BEHIND);
        let out = sender.clone();
        let task = tokio::spawn(async move {
            loop {
                let next = follower.next().await;
                // Nobody listens just now: later ones join here all the same.
                let _ = out.send(next);
            }
        });
        *shared = Some((sender, task.abort_handle()));
        Ok(receiver)
    }

    async fn open(&self, token: Option<ResumeToken>) -> StoreResult<Follower> {
        let mut follower = Follower {
            database: self.database.clone(),
            source: None,
            token,
            missed: false,
            deadline: self.deadline,
            rights: self.rights,
        };
        match follower.open().await {
            Err(fault) if follower.token.is_some() && !error::is_away(&fault) => {
                follower.token = None;
                follower.missed = true;
                follower.open().await.map_err(error::db)?;
            }
            outcome => outcome.map_err(error::db)?,
        }
        Ok(follower)
    }

    pub(super) async fn close(&self) {
        if let Some((_, task)) = self.shared.lock().await.take() {
            task.abort();
        }
        self.client.clone().shutdown().immediate(true).await;
    }
}

/// One change stream, opened again whenever it breaks.
struct Follower {
    database: Database,
    /// None until it was opened.
    source: Option<Source<ChangeStreamEvent<Document>>>,
    token: Option<ResumeToken>,
    /// Whether something was missed that nobody was told of yet.
    missed: bool,
    deadline: Duration,
    rights: Rights,
}

/// Changes of hosts and clusters. Proofs are none: they come in hundreds and change no version. That a host answered once
/// more is none either; that it went away or came back is one.
fn pipeline() -> [Document; 2] {
    let fields = doc! { "$objectToArray": { "$ifNull": ["$updateDescription.updatedFields", {}] } };
    let names = doc! { "$map": { "input": fields, "in": "$$this.k" } };
    let moved = doc! { "$or": [
        { "operationType": { "$ne": "update" } },
        { "updateDescription.updatedFields.version": { "$exists": true } },
        { "ns.coll": "hosts", "$expr": { "$in": ["contact.state", names] } },
    ] };
    [
        doc! { "$match": { "$and": [{ "ns.coll": { "$in": ["clusters", "hosts"] } }, moved] } },
        doc! { "$project": { "fullDocument": 0, "updateDescription": 0 } },
    ]
}

impl Follower {
    async fn open(&mut self) -> mongodb::error::Result<()> {
        let clusters = self.database.collection::<Document>("clusters");
        let watch = match self.rights {
            Rights::All => self.database.watch(),
            // What is only of a host is not told: nothing that app waits for is.
            Rights::App => clusters.watch(),
        };
        let watch = watch.pipeline(pipeline()).resume_after(self.token.clone());
        let opened = tokio::time::timeout(self.deadline, watch).await;
        let source = opened.unwrap_or_else(|_| Err(error::late(self.deadline)))?;
        self.token = source.resume_token().or(self.token.take());
        self.source = Some(source);
        Ok(())
    }

    fn cursor(&self) -> WatchCursor {
        WatchCursor(self.token.as_ref().and_then(text_of).unwrap_or_default())
    }

    async fn next(&mut self) -> Next {
        if !self.missed {
            if let Some(source) = &mut self.source {
                match source.next().await {
                    Some(Ok(event)) => {
                        let change = change_of(&event);
                        self.token = Some(event.id);
                        return (change, self.cursor());
                    }
                    Some(Err(fault)) => self.broke(&fault),
                    // The database was dropped, which no token outlives.
                    None => self.token = None,
                }
            }
            // Told only once the stream is there again, so that whoever looks at everything then misses nothing after.
            while let Err(fault) = self.open().await {
                self.broke(&fault);
                tokio::time::sleep(AGAIN).await;
            }
        }
        self.missed = false;
        (Change::Missed, self.cursor())
    }

    fn broke(&mut self, fault: &mongodb::error::Error) {
        tracing::warn!(error = %error::text(fault), "the change stream broke; opening it again");
        if !error::is_away(fault) {
            // What the server does not want to go on from is of no use.
            self.token = None;
        }
    }
}

/// The token is a document with one text in it, and that is the cursor.
fn text_of(token: &ResumeToken) -> Option<String> {
    serde_json::to_value(token).ok()?.get("_data")?.as_str().map(str::to_owned)
}

/// The token of a cursor, if it can be one: hexadecimal digits.
fn token_of(cursor: &WatchCursor) -> Option<ResumeToken> {
    let is_hex = !cursor.0.is_empty() && cursor.0.bytes().all(|b| b.is_ascii_hexdigit());
    serde_json::from_value(serde_json::json!({ "_data": cursor.0 })).ok().filter(|_| is_hex)
}

fn change_of(event: &ChangeStreamEvent<Document>) -> Change {
    let id = event.document_key.as_ref().and_then(|key| key.get_str("_id").ok()).unwrap_or_default();
    let collection = event.ns.as_ref().and_then(|ns| ns.coll.as_deref());
    let change = match collection {
        Some("clusters") => ClusterId::parse(id).map(Change::Cluster).ok(),
        Some("hosts") => HostId::parse(id).map(Change::Host).ok(),
        _ => None,
    };
    change.unwrap_or(Change::Missed)
}

/// The shared stream as one watcher sees it.
fn listen(receiver: broadcast::Receiver<Next>) -> ChangeStream {
    let held: Option<Next> = None;
    Box::pin(stream::unfold((receiver, held), |(mut receiver, held)| async move {
        if let Some(next) = held {
            return Some((next, (receiver, None)));
        }
        let mut behind = false;
        loop {
            match receiver.recv().await {
                Ok(next) if behind => return Some(((Change::Missed, next.1.clone()), (receiver, Some(next)))),
                Ok(next) => return Some((next, (receiver, None))),
                Err(broadcast::error::RecvError::Lagged(_)) => behind = true,
                Err(broadcast::error::RecvError::Closed) => return None,
            }
        }
    }))
}
