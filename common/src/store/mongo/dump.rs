//! A backup: everything as it stood at one moment, read in one snapshot session while others go on writing.

use std::time::Duration;

use mongodb::bson::{Document, doc};
use mongodb::{Client, ClientSession, Database};

use super::tokens::{Uses, read_token, uses_by_token};
use super::{demand, error, samples, setup, shape};
use crate::model::{PoolId, Timestamp};
use crate::store::backup::{BackupError, Counts, Header, Kind, Record, Writer};
use crate::store::open::OpenError;
use crate::store::{StoreError, schema};

/// The server has no snapshot of a collection that was made or indexed a moment ago.
const NO_SNAPSHOT: i32 = 246;
const TRIES: u32 = 50;
const PAUSE: Duration = Duration::from_millis(200);

/// A batch of documents, by a server that is busy.
const CALL: Duration = Duration::from_secs(60);

/// Goes into the tokens' records.
const USES: &str = "token_uses";

/// Writes all that is in the database.
pub(in crate::store) async fn dump<W>(url: &str, name: &str, at: Timestamp, writer: W) -> Result<Counts, BackupError>
where
    W: FnOnce(Header) -> Result<Writer, BackupError>,
{
    let mut options = setup::options(url).await?;
    // Of its own, because the session's must not be mixed with the store's.
    options.read_concern = None;
    let client = setup::client(options)?;
    let written = write_all(&client, name, at, writer).await;
    client.shutdown().immediate(true).await;
    written
}

async fn write_all<W>(client: &Client, name: &str, at: Timestamp, writer: W) -> Result<Counts, BackupError>
where
    W: FnOnce(Header) -> Result<Writer, BackupError>,
{
    let db = client.database(name);
    let mut snapshot = Snapshot::begin(client, &db).await?;
    let mut writer = writer(snapshot.header(&db, name, at).await?)?;
    for kind in Kind::ALL {
        snapshot.write(&db, kind, &mut writer).await?;
    }
    writer.finish()
}

struct Snapshot(ClientSession);

impl Snapshot {
    /// A session that has seen every collection, so that none refuses in the middle.
    async fn begin(client: &Client, db: &Database) -> Result<Snapshot, BackupError> {
        let mut tries = 0;
        loop {
            let session = client.start_session().snapshot(true).await.map_err(setup::open_error)?;
            let mut snapshot = Snapshot(session);
            match snapshot.touch(db).await {
                Ok(()) => return Ok(snapshot),
                Err(fault) if error::code(&fault) == Some(NO_SNAPSHOT) && tries < TRIES => tries += 1,
                Err(fault) => return Err(setup::open_error(fault).into()),
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn touch(&mut self, db: &Database) -> Result<(), mongodb::error::Error> {
        for name in ["meta", "locks", USES].into_iter().chain(Kind::ALL.map(Kind::collection)) {
            let of = db.collection::<Document>(name);
            timed(of.find_one(doc! {}).session(&mut self.0).into_future()).await?;
        }
        Ok(())
    }

    async fn header(&mut self, db: &Database, name: &str, at: Timestamp) -> Result<Header, BackupError> {
        let Some(meta) = self.one(db, "meta", "pool").await? else {
            return Err(BackupError::Nothing(format!("MongoDB, database {name}")));
        };
        setup::refuse_half(&meta)?;
        let found = setup::schema_in(&meta);
        if !schema::steps(found)?.is_empty() {
            return Err(BackupError::Older { found, known: schema::CURRENT });
        }
        let pool = PoolId::parse(meta.get_str("pool_id").unwrap_or_default())
            .map_err(|error| OpenError::Broken(format!("the pool's id: {error}")))?;
        let lock = self.one(db, "locks", "reconciler").await?.unwrap_or_default();
        let term = lock.get_i64("term").ok().and_then(|term| u64::try_from(term).ok()).unwrap_or(0);
        Ok(Header::new(pool, at, term))
    }

    async fn one(&mut self, db: &Database, collection: &str, id: &str) -> Result<Option<Document>, StoreError> {
        let of = db.collection(collection);
        timed(of.find_one(doc! { "_id": id }).session(&mut self.0).into_future()).await.map_err(error::db)
    }

    async fn uses(&mut self, db: &Database) -> Result<Uses, BackupError> {
        let of = db.collection::<Document>(USES);
        let find = of.find(doc! {}).session(&mut self.0);
        let mut found = timed(find.into_future()).await.map_err(error::db)?;
        let mut all = Vec::new();
        while let Some(one) = timed(async { found.next(&mut self.0).await.transpose() }).await.map_err(error::db)? {
            all.push(one);
        }
        Ok(uses_by_token(&all))
    }

    async fn write(&mut self, db: &Database, kind: Kind, to: &mut Writer) -> Result<(), BackupError> {
        let of = db.collection::<Document>(kind.collection());
        let sort = match kind {
            Kind::Event => doc! { "seq": 1, "order": 1 },
            _ => doc! { "_id": 1 },
        };
        // Events from before there were numbers come first, and count up to 0.
        let mut unnumbered = match kind {
            Kind::Event => {
                let count = of.count_documents(doc! { "seq": null }).session(&mut self.0);
                i64::try_from(timed(count.into_future()).await.map_err(error::db)?).unwrap_or(0)
            }
            _ => 0,
        };
        let uses = match kind {
            Kind::Token => self.uses(db).await?,
            _ => Uses::default(),
        };
        let find = of.find(doc! {}).sort(sort).session(&mut self.0);
        let mut found = timed(find.into_future()).await.map_err(error::db)?;
        while let Some(next) = timed(async { found.next(&mut self.0).await.transpose() }).await.map_err(error::db)? {
            to.add(&record(kind, next, &mut unnumbered, &uses)?)?;
        }
        Ok(())
    }
}

fn record(kind: Kind, found: Document, unnumbered: &mut i64, uses: &Uses) -> Result<Record, StoreError> {
    Ok(match kind {
        Kind::Host => Record::Host(shape::read(found)?),
        Kind::Cluster => Record::Cluster(Box::new(shape::read_cluster(found)?)),
        Kind::Lease => Record::Lease(Box::new(shape::read_record(found)?)),
        Kind::Event => {
            let number = found.get_i64("seq").unwrap_or_else(|_| {
                *unnumbered -= 1;
                -*unnumbered
            });
            Record::Event { number, event: shape::read(found)? }
        }
        Kind::Evidence => Record::Evidence(shape::read(found)?),
        Kind::Applies => {
            let read = demand::parse(&found);
            Record::Applies(read.ok_or_else(|| StoreError::Broken(format!("applies: {found}")))?)
        }
        Kind::Operator => Record::Operator(shape::read(found)?),
        Kind::Token => Record::Token(Box::new(read_token(found, uses)?)),
        Kind::Samples => {
            let read = samples::hour(&found);
            Record::Samples(read.ok_or_else(|| StoreError::Broken(format!("samples: {found}")))?)
        }
    })
}

async fn timed<T>(call: impl Future<Output = Result<T, mongodb::error::Error>>) -> Result<T, mongodb::error::Error> {
    match tokio::time::timeout(CALL, call).await {
        Ok(outcome) => outcome,
        Err(_) => Err(error::late(CALL)),
    }
}
