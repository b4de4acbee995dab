//! A restore: everything is loaded into collections beside the store's and checked to the last byte of the backup; then
//! each takes the place of the store's own. While that goes on, which is a moment, `meta` has a mark at which no program
//! opens the store. Killed before the mark, the store is as it was; killed after it, the restore has to be done again.

use std::sync::Arc;
use std::time::Duration;

use mongodb::Client;
use mongodb::bson::oid::ObjectId;
use mongodb::bson::{Document, doc};
use tokio::task::JoinHandle;

use super::db::Db;
use super::{demand, error, samples, setup, shape};
use crate::clock;
use crate::store::backup::{BackupError, Counts, EMPTIED, Header, Kind, Over, Reader, Record};
use crate::store::{Limits, StoreError, StoreResult};

/// Documents in one write.
const BATCH: usize = 256;

/// A whole batch, by a server that is busy.
const CALL: Duration = Duration::from_secs(60);

/// Long enough to be taken again several times before it is over.
const LOCK_TERM: Duration = Duration::from_secs(10);

/// What others hear of who leads meanwhile.
const ADDRESS: &str = "a restore, of now or of seconds ago";

/// Puts what `from` holds in the place of what is in the database, as the holder of the reconciler's lock.
pub(in crate::store) async fn load(url: &str, name: &str, from: Reader, over: Over) -> Result<Counts, BackupError> {
    let options = setup::options(url).await?;
    let connections = setup::connections(&options);
    let client = setup::client(options)?;
    let loaded = load_from(&client, connections, name, from, over).await;
    client.shutdown().immediate(true).await;
    loaded
}

async fn load_from(
    client: &Client,
    connections: u32,
    name: &str,
    from: Reader,
    over: Over,
) -> Result<Counts, BackupError> {
    let database = client.database(name);
    let found = setup::prepare_for_restore(&database).await?;
    let limits = Limits { deadline: CALL, ..Limits::default() };
    let db = Db::new(database, &limits, found.numbered_from, connections);
    let lead = Lead::take(&db).await?;
    let loaded = load_leading(client, &db, from, over, &lead).await;
    lead.give_back(&db).await;
    loaded
}

async fn load_leading(
    client: &Client,
    db: &Db,
    mut from: Reader,
    over: Over,
    lead: &Lead,
) -> Result<Counts, BackupError> {
    if over == Over::Nothing && !setup::is_half(&db.database).await? {
        refuse_a_pool(db).await?;
    }
    drop_staging(db).await?;
    setup::make_indexes(&db.database, STAGING).await.map_err(error::db)?;
    let numbered_from = fill(db, &mut from).await?;
    lead.check(db).await?;
    exchange(client, db, from.header(), numbered_from).await?;
    Ok(from.counts().clone())
}

async fn refuse_a_pool(db: &Db) -> Result<(), BackupError> {
    let count = async |name: &str| {
        let of = db.database.collection::<Document>(name);
        db.timed(of.count_documents(doc! {})).await.map_err(error::db)
    };
    let (hosts, clusters, leases) = (count("hosts").await?, count("clusters").await?, count("leases").await?);
    if hosts + clusters + leases == 0 { Ok(()) } else { Err(BackupError::NotEmpty { hosts, clusters, leases }) }
}

/// What the names of collections begin with while they are filled.
const STAGING: &str = "restoring_";

fn exchanged() -> impl Iterator<Item = &'static str> {
    Kind::ALL.into_iter().map(Kind::collection).chain(EMPTIED)
}

/// Also what an earlier restore left that was killed.
async fn drop_staging(db: &Db) -> StoreResult<()> {
    for name in exchanged() {
        let old = db.database.collection::<Document>(&format!("{STAGING}{name}"));
        db.timed(old.drop()).await.map_err(error::db)?;
    }
    Ok(())
}

/// Loads all records; the place in the order of events at which their numbers begin.
async fn fill(db: &Db, from: &mut Reader) -> Result<ObjectId, BackupError> {
    let mut orders = Orders::new(from.header());
    let mut numbered_from = None;
    let mut waiting: Vec<Document> = Vec::with_capacity(BATCH);
    let mut of = Kind::ALL[0];
    loop {
        let next = from.next()?.map(Record::at_rest);
        let is_other = next.as_ref().is_none_or(|record| record.kind() != of);
        if !waiting.is_empty() && (is_other || waiting.len() >= BATCH) {
            let to = db.database.collection::<Document>(&format!("{STAGING}{}", of.collection()));
            match db.timed(to.insert_many(waiting.drain(..))).await {
                Err(fault) if error::first_duplicate(&fault).is_some() => {
                    return Err(BackupError::Damaged(format!(
                        "two {} are the same: {}",
                        of.words(),
                        error::text(&fault)
                    )));
                }
                outcome => outcome.map_err(error::db)?,
            };
        }
        let Some(record) = next else { break };
        of = record.kind();
        let mut document = document(&record)?;
        if let Record::Event { number, .. } = record {
            if number > 0 {
                numbered_from.get_or_insert_with(|| orders.next());
                document.insert("seq", number);
            }
            document.insert("order", orders.next());
        }
        waiting.push(document);
    }
    Ok(numbered_from.unwrap_or_else(|| orders.next()))
}

/// Places in the order of events, each after the one before and all before those of events that come later.
struct Orders {
    seconds: [u8; 4],
    count: u64,
}

impl Orders {
    fn new(header: &Header) -> Orders {
        let seconds = u32::try_from(header.made_at.as_millis() / 1000).unwrap_or(0);
        Orders { seconds: seconds.to_be_bytes(), count: 0 }
    }

    fn next(&mut self) -> ObjectId {
        self.count += 1;
        let mut bytes = [0; 12];
        bytes[..4].copy_from_slice(&self.seconds);
        bytes[4..].copy_from_slice(&self.count.to_be_bytes());
        ObjectId::from_bytes(bytes)
    }
}

fn document(record: &Record) -> StoreResult<Document> {
    match record {
        Record::Host(host) => shape::write(host),
        Record::Cluster(cluster) => shape::write_cluster(cluster),
        Record::Lease(record) => shape::write_record(record),
        Record::Event { event, .. } => shape::write(event),
        Record::Evidence(bundle) => shape::write_evidence(bundle),
        Record::Applies(count) => Ok(demand::document(count)),
        Record::Operator(operator) => shape::write(operator),
        Record::Token(token) => shape::write(token),
        Record::Samples(hour) => Ok(samples::document(hour)),
    }
}

async fn exchange(client: &Client, db: &Db, header: &Header, numbered_from: ObjectId) -> Result<(), BackupError> {
    let meta = db.database.collection::<Document>("meta");
    let update = async |change: Document| {
        db.timed(meta.update_one(doc! { "_id": "pool" }, change)).await.map(drop).map_err(error::db)
    };
    update(doc! { "$set": { setup::HALF: clock::now().as_millis() } }).await?;
    let name = db.database.name();
    for collection in exchanged() {
        let command = doc! {
            "renameCollection": format!("{name}.{STAGING}{collection}"), "to": format!("{name}.{collection}"),
            "dropTarget": true, "writeConcern": { "w": "majority" },
        };
        db.timed(client.database("admin").run_command(command)).await.map_err(error::db)?;
    }
    // The tokens that were restored have theirs in themselves.
    db.timed(db.token_uses.delete_many(doc! {})).await.map_err(error::db)?;
    let term = i64::try_from(header.term).unwrap_or(i64::MAX);
    let higher = db.locks.update_one(doc! { "_id": "reconciler" }, doc! { "$max": { "term": term } });
    db.timed(higher).await.map_err(error::db)?;
    update(doc! {
        "$set": { "pool_id": header.pool.as_str(), setup::NUMBERED_FROM: numbered_from },
        "$unset": { setup::HALF: "" },
    })
    .await?;
    Ok(())
}

/// The reconciler's lock, taken again and again until it is given back: no admin leads meanwhile.
struct Lead {
    holder: Arc<str>,
    keeping: JoinHandle<()>,
}

impl Lead {
    async fn take(db: &Db) -> Result<Lead, BackupError> {
        let holder: Arc<str> = format!("restore-{}", hex::encode(rand::random::<[u8; 8]>())).into();
        if db.take_lock(&holder, ADDRESS, LOCK_TERM).await?.is_none() {
            let address = db.lock().await?.map(|lock| lock.address).unwrap_or_default();
            return Err(BackupError::Led { address });
        }
        let (db, keeper) = (db.clone(), holder.clone());
        let keeping = tokio::spawn(async move {
            loop {
                tokio::time::sleep(LOCK_TERM / 5).await;
                if let Err(error) = db.take_lock(&keeper, ADDRESS, LOCK_TERM).await {
                    tracing::warn!(%error, "the reconciler's lock could not be kept");
                }
            }
        });
        Ok(Lead { holder, keeping })
    }

    /// Right before what cannot be taken back.
    async fn check(&self, db: &Db) -> Result<(), BackupError> {
        match db.take_lock(&self.holder, ADDRESS, LOCK_TERM).await? {
            Some(_) => Ok(()),
            None => Err(StoreError::Conflict("the reconciler's lock").into()),
        }
    }

    async fn give_back(self, db: &Db) {
        self.keeping.abort();
        if let Err(error) = db.drop_lock(&self.holder).await {
            tracing::warn!(%error, "the reconciler's lock goes back by itself in ten seconds");
        }
    }
}
