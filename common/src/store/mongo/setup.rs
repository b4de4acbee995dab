//! Connects, and makes what the database must have: the pool's record, indexes, the schema's version.

use std::collections::HashSet;
use std::time::Duration;

use mongodb::bson::oid::ObjectId;
use mongodb::bson::{Document, doc};
use mongodb::error::Error;
use mongodb::options::{
    Acknowledgment, ClientOptions, IndexOptions, ReadConcern, ReturnDocument, SelectionCriteria, WriteConcern,
};
use mongodb::{Client, Database, IndexModel};

use super::error;
use crate::model::PoolId;
use crate::store::open::OpenError;
use crate::store::schema;

/// A primary that does not hear from its majority for so long has lost it.
pub(super) const WRITE_LIMIT: Duration = Duration::from_secs(5);

/// Within the ten seconds of a call there is time for one more try.
const SELECTION_LIMIT: Duration = Duration::from_secs(5);

/// The driver's own default of 10 makes a burst of reads wait for connections rather than for the server.
const CONNECTIONS: u32 = 32;

/// The options that `url` asks for, and ours where it says nothing.
pub(super) async fn options(url: &str) -> Result<ClientOptions, OpenError> {
    let mut options = ClientOptions::parse(url).await.map_err(|error| OpenError::BadUrl(super::error::text(&error)))?;
    options.app_name.get_or_insert_with(|| "poolmanager".into());
    options.server_selection_timeout.get_or_insert(SELECTION_LIMIT);
    options.connect_timeout.get_or_insert(SELECTION_LIMIT);
    options.max_pool_size.get_or_insert(CONNECTIONS);
    // Two at a time would make requests wait in the driver's own queue: see `Db::calls`.
    options.max_connecting = Some(connections(&options));
    // These are promises of the store, so no URL weakens them.
    let majority = WriteConcern::builder().w(Acknowledgment::Majority).journal(true).w_timeout(WRITE_LIMIT).build();
    options.write_concern = Some(majority);
    options.read_concern = Some(ReadConcern::majority());
    options.selection_criteria = Some(SelectionCriteria::ReadPreference(mongodb::options::ReadPreference::Primary));
    Ok(options)
}

/// The most connections that a client of these options opens; 0 in a URL means any number.
pub(super) fn connections(options: &ClientOptions) -> u32 {
    options.max_pool_size.filter(|most| *most > 0).unwrap_or(u32::MAX)
}

/// A client of the given options.
pub(super) fn client(options: ClientOptions) -> Result<Client, OpenError> {
    Client::with_options(options).map_err(|error| OpenError::BadUrl(super::error::text(&error)))
}

/// The field of the pool's record that says since when events have numbers.
pub(super) const NUMBERED_FROM: &str = "numbered_from";

/// The field of the pool's record that says since when a restore is exchanging the collections.
pub(super) const HALF: &str = "restoring";

/// What an error means to who opens the store.
pub(super) fn open_error(error: Error) -> OpenError {
    if error::is_refusal(&error) {
        return OpenError::Refused(error::text(&error));
    }
    match error::db(error) {
        crate::store::StoreError::Unavailable(why) => OpenError::Unreachable(why),
        other => OpenError::Broken(other.to_string()),
    }
}

/// What stays the same for ever in a database.
pub(super) struct Found {
    pub(super) pool: PoolId,
    /// Events that were added before this have no number.
    pub(super) numbered_from: ObjectId,
}

/// Makes or migrates what is in the database. Refuses one that a restore has left half done.
pub(super) async fn prepare(db: &Database) -> Result<Found, OpenError> {
    make_ready(db, refuse_half).await
}

/// The same for who restores, and may do so again.
pub(super) async fn prepare_for_restore(db: &Database) -> Result<Found, OpenError> {
    make_ready(db, |_| Ok(())).await
}

/// Whether a restore has left it half done.
pub(super) async fn is_half(db: &Database) -> Result<bool, OpenError> {
    let pool = db.collection::<Document>("meta").find_one(doc! { "_id": "pool" }).await.map_err(open_error)?;
    Ok(pool.is_some_and(|pool| refuse_half(&pool).is_err()))
}

/// Refuses a pool's record with the mark of a restore.
pub(super) fn refuse_half(pool: &Document) -> Result<(), OpenError> {
    if pool.contains_key(HALF) { Err(OpenError::HalfRestored) } else { Ok(()) }
}

/// The schema's version in the pool's record.
pub(super) fn schema_in(pool: &Document) -> u32 {
    let found = pool.get_i64("schema").or_else(|_| pool.get_i32("schema").map(i64::from)).unwrap_or(0);
    u32::try_from(found).unwrap_or(0)
}

/// Refuses a server that is no member of a replica set.
pub(super) async fn refuse_without_set(db: &Database) -> Result<(), OpenError> {
    let hello = db.run_command(doc! { "hello": 1 }).await.map_err(open_error)?;
    let is_set = hello.get_str("setName").is_ok() || hello.get_str("msg").is_ok_and(|msg| msg == "isdbgrid");
    if is_set { Ok(()) } else { Err(OpenError::NoReplicaSet) }
}

/// What the pool's record says.
pub(super) fn found_in(pool: &Document) -> Result<Found, OpenError> {
    let id = pool.get_str("pool_id").unwrap_or_default();
    Ok(Found {
        pool: PoolId::parse(id).map_err(|error| OpenError::Broken(format!("the pool's id: {error}")))?,
        numbered_from: pool
            .get_object_id(NUMBERED_FROM)
            .map_err(|error| OpenError::Broken(format!("where events begin to have numbers: {error}")))?,
    })
}

async fn make_ready(db: &Database, check: fn(&Document) -> Result<(), OpenError>) -> Result<Found, OpenError> {
    refuse_without_set(db).await?;
    let meta = db.collection::<Document>("meta");
    let make = || {
        meta.find_one_and_update(
            doc! { "_id": "pool" },
            doc! { "$setOnInsert": {
                "pool_id": PoolId::random().as_str(), "schema": schema::CURRENT, NUMBERED_FROM: ObjectId::new(),
            } },
        )
        .upsert(true)
        .return_document(ReturnDocument::After)
    };
    let pool = match make().await {
        // Another one made it at the same moment.
        Err(error) if error::duplicate(&error).is_some() => make().await,
        outcome => outcome,
    };
    let pool = pool.map_err(open_error)?.unwrap_or_default();
    check(&pool)?;
    let found = schema_in(&pool);
    for version in schema::steps(found)? {
        step_to(db, version).await.map_err(open_error)?;
    }
    make_indexes(db, "").await.map_err(open_error)?;
    if found < schema::CURRENT {
        // Each step may be done twice, by two who start together.
        let done = doc! { "$max": { "schema": schema::CURRENT } };
        meta.update_one(doc! { "_id": "pool" }, done).await.map_err(open_error)?;
    }
    make_lock(db).await.map_err(open_error)?;
    // Last: by this those who may make nothing see that all is there.
    make_turn(db).await.map_err(open_error)?;
    let pool = meta.find_one(doc! { "_id": "pool" }).await.map_err(open_error)?.unwrap_or_default();
    found_in(&pool)
}

/// What leads from the version before to this one; may be done twice.
async fn step_to(db: &Database, version: u32) -> Result<(), Error> {
    match version {
        2 => drop_index(db, "leases", "user").await,
        3 => {
            let unset = doc! { "_id": "pool", NUMBERED_FROM: { "$exists": false } };
            let from_now = doc! { "$set": { NUMBERED_FROM: ObjectId::new() } };
            db.collection::<Document>("meta").update_one(unset, from_now).await.map(|_| ())
        }
        // The keys themselves are filled in at every start, see `lists.rs`.
        4 => {
            for old in ["ended", "user_ended", "key"] {
                drop_index(db, "leases", old).await?;
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

async fn drop_index(db: &Database, of: &str, name: &str) -> Result<(), Error> {
    match db.collection::<Document>(of).drop_index(name).await {
        Err(error) if error::is_not_found(&error) => Ok(()),
        outcome => outcome,
    }
}

/// The lock's record is always there, so that taking it is one update and its term never starts again.
async fn make_lock(db: &Database) -> Result<(), Error> {
    let free = doc! { "$setOnInsert": { "holder": "", "address": "", "term": 0_i64, "until": 0_i64 } };
    let made = db.collection::<Document>("locks").update_one(doc! { "_id": "reconciler" }, free).upsert(true).await;
    match made {
        Err(error) if error::duplicate(&error).is_some() => Ok(()),
        outcome => outcome.map(|_| ()),
    }
}

/// Changes of operators write this, so that no two of them happen at once.
pub(super) const OPERATORS_TURN: &str = "operators";

async fn make_turn(db: &Database) -> Result<(), Error> {
    let none = doc! { "$setOnInsert": { "changes": 0_i64 } };
    let made = db.collection::<Document>("meta").update_one(doc! { "_id": OPERATORS_TURN }, none).upsert(true).await;
    match made {
        Err(error) if error::duplicate(&error).is_some() => Ok(()),
        outcome => outcome.map(|_| ()),
    }
}

fn index(name: &str, keys: Document) -> IndexModel {
    IndexModel::builder().keys(keys).options(IndexOptions::builder().name(name.to_owned()).build()).build()
}

fn partial(name: &str, keys: Document, filter: Document) -> IndexModel {
    let options = IndexOptions::builder().name(name.to_owned()).partial_filter_expression(filter).build();
    IndexModel::builder().keys(keys).options(options).build()
}

fn unique(mut index: IndexModel) -> IndexModel {
    index.options.get_or_insert_default().unique = Some(true);
    index
}

/// All indexes, of collections whose names begin with `prefix`; `docs/db.md` says what each is for. Making one that is there costs nothing.
pub(super) async fn make_indexes(db: &Database, prefix: &str) -> Result<(), Error> {
    let of = |name: &str| db.collection::<Document>(&format!("{prefix}{name}"));
    let there = |field: &str| doc! { field: { "$exists": true } };
    // Only to keep a key from being there twice. No query is answered by it: the server does not see that a text which is
    // asked for is among those of a type.
    let text = |field: &str| doc! { field: { "$type": "string" } };
    let some_text = |field: &str| doc! { field: { "$gt": "" } };
    let clusters = [
        unique(index("slot", doc! { "host": 1, "slot": 1 })),
        unique(partial("nth", doc! { "phase.lease.user": 1, "phase.lease.nth": 1 }, there("phase.lease.user"))),
        unique(partial("key", doc! { "phase.lease.user": 1, "phase.lease.key": 1 }, text("phase.lease.key"))),
        partial("offer", doc! { "offer.flavor": 1, "offer.r": 1, "offer.until": 1 }, there("offer.flavor")),
        index("kind", doc! { "host": 1, "flavor": 1, "phase.phase": 1 }),
        index("list_name", doc! { "list.name": 1 }),
        index("list_created", doc! { "list.created": 1 }),
        index("list_flavor", doc! { "list.flavor": 1 }),
        index("list_changed", doc! { "phase.phase": 1, "list.changed": 1 }),
        index("health", doc! { "health.health": 1 }),
    ];
    of("clusters").create_indexes(clusters).await?;
    of("hosts")
        .create_indexes([
            unique(index("name", doc! { "settings.name": 1 })),
            unique(index("engine_id", doc! { "engine_id": 1 })),
        ])
        .await?;
    of("leases")
        .create_indexes([
            index("list_ended", doc! { "list.ended": 1 }),
            index("list_applied", doc! { "list.applied": 1 }),
            index("list_held", doc! { "list.held": 1 }),
            index("list_name", doc! { "list.name": 1 }),
            index("list_user", doc! { "list.user": 1 }),
            index("list_host", doc! { "list.host": 1 }),
            index("list_flavor", doc! { "list.flavor": 1 }),
            partial("user_key", doc! { "lease.user": 1, "lease.key": 1 }, some_text("lease.key")),
        ])
        .await?;
    of("events")
        .create_indexes([
            // No number twice; and those that have none yet are found by the other.
            unique(partial("seq", doc! { "seq": 1 }, there("seq"))),
            index("seq_order", doc! { "seq": 1, "order": 1 }),
            index("at", doc! { "at": -1, "order": -1 }),
            index("kind", doc! { "kind": 1, "at": -1, "order": -1 }),
            index("actor", doc! { "actor": 1, "at": -1, "order": -1 }),
            partial("host_at", doc! { "host": 1, "at": -1, "order": -1 }, some_text("host")),
            partial("cluster_at", doc! { "cluster.0": 1, "at": -1, "order": -1 }, some_text("cluster.0")),
        ])
        .await?;
    of("evidence")
        .create_indexes([
            index("failed", doc! { "failed_at": -1, "_id": -1 }),
            index("host_failed", doc! { "host": 1, "failed_at": -1, "_id": -1 }),
        ])
        .await?;
    of("applies").create_index(index("minute", doc! { "minute": 1, "flavor": 1 })).await?;
    of("samples")
        .create_indexes([
            index("subject", doc! { "subject": 1, "hour": 1 }),
            index("hour", doc! { "hour": 1 }),
            index("ends", doc! { "ends": 1 }),
        ])
        .await?;
    of("operators").create_index(unique(index("username", doc! { "username": 1 }))).await?;
    of("sessions")
        .create_indexes([index("ends_at", doc! { "ends_at": 1 }), index("operator", doc! { "operator": 1 })])
        .await?;
    of("tokens")
        .create_indexes([
            unique(index("hash", doc! { "hash": 1 })),
            index("created", doc! { "created_at": -1, "_id": -1 }),
            partial("of_user", doc! { "kind.user": 1, "created_at": -1, "_id": -1 }, some_text("kind.user")),
        ])
        .await?;
    for (name, index) in SUPERSEDED {
        drop_index(db, &format!("{prefix}{name}"), index).await?;
    }
    Ok(())
}

/// Indexes that others have taken the place of, as no query could use them; a program from before then makes them anew.
const SUPERSEDED: [(&str, &str); 3] = [("events", "host"), ("events", "cluster"), ("tokens", "user")];

/// The names of the indexes that a duplicate key's message may speak of.
pub(super) fn violated(message: &str, names: &[&'static str]) -> Option<&'static str> {
    let words: HashSet<&str> = message.split_whitespace().collect();
    names.iter().copied().find(|name| words.contains(name))
}
