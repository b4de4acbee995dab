//! Rounds on a SQLite file: through app, and by a plain writer beside it that has one connection and gives each claim a
//! transaction of its own.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};

use anyhow::Context;
use common::clock;
use common::model::{FlavorId, Lease, LeaseId, Metadata, Phase, UserId};
use common::store::{SharedStore, StoreTarget, StoreUser};
use rusqlite::{Connection, TransactionBehavior, params};
use tempfile::TempDir;
use tokio::sync::oneshot;

use super::app::{App, Door};
use super::report::{Measured, Rounds};
use super::round::{self, Claim, Round};
use super::{Settings, answers, fill};

const CALLERS: usize = 64;

/// All rounds on SQLite.
pub(super) async fn measure(
    settings: &Settings,
    measured: &mut Measured,
    say: &(dyn Fn(&str) + Sync),
) -> anyhow::Result<()> {
    let folder = tempfile::Builder::new().prefix("poolmanager-bench-sqlite-").tempdir()?;
    let full = folder.path().join("full.db");
    say(&format!("putting {} clusters into a SQLite file", settings.clusters));
    let store = open(&full).await?;
    let flavors = fill::fill(&store, settings.clusters).await?;
    let door = Door::with_token(&store).await?;
    store.close().await;
    drop(store);
    into_one_file(&full)?;
    ours(settings, (&full, &door), &mut Rounds::default(), measured, say).await?;
    let (mut through_app, mut raw_rounds) = (Rounds::default(), Rounds::default());
    for _ in 0..settings.rounds {
        ours(settings, (&full, &door), &mut through_app, measured, say).await?;
        raw(settings, &full, &flavors, &mut raw_rounds, say).await?;
    }
    (measured.sqlite_64, measured.sqlite_raw_64) = (through_app, raw_rounds);
    Ok(())
}

async fn open(path: &Path) -> anyhow::Result<SharedStore> {
    let target = StoreTarget::Sqlite { path: path.to_owned() };
    common::store::open(&target, StoreUser::Admin).await.context("opening the store")
}

/// Takes the write-ahead log into the file, so that a copy of it is whole.
fn into_one_file(path: &Path) -> anyhow::Result<()> {
    let conn = Connection::open(path)?;
    conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).context("a checkpoint")
}

/// A copy of the full pool in a folder of its own, on disk. Under the name that app looks for.
fn fresh(full: &Path) -> anyhow::Result<(TempDir, PathBuf)> {
    let folder = tempfile::Builder::new().prefix("poolmanager-bench-sqlite-").tempdir()?;
    let path = folder.path().join("poolmanager.db");
    std::fs::copy(full, &path).context("copying the pool")?;
    std::fs::File::open(&path)?.sync_all()?;
    Ok((folder, path))
}

async fn ours(
    settings: &Settings,
    (full, door): (&Path, &Door),
    rounds: &mut Rounds,
    measured: &mut Measured,
    say: &(dyn Fn(&str) + Sync),
) -> anyhow::Result<()> {
    let (_folder, path) = fresh(full)?;
    let app = App::start(&settings.app, &StoreTarget::Sqlite { path: path.clone() }, door.clone()).await?;
    let round = settings.through_app(&app, CALLERS).await?;
    say(&round.line("SQLite, through app", CALLERS));
    measured.peak_mib = measured.peak_mib.max(app.peak_mib()?);
    drop(app);
    rounds.add(&round);
    measured.double_leases += check(&path, &round).await?;
    Ok(())
}

async fn raw(
    settings: &Settings,
    full: &Path,
    flavors: &[FlavorId],
    rounds: &mut Rounds,
    say: &(dyn Fn(&str) + Sync),
) -> anyhow::Result<()> {
    let (_folder, path) = fresh(full)?;
    let (claims, waiting) = channel();
    let conn = connect(&path)?;
    let flavors = flavors.to_vec();
    let writer = std::thread::spawn(move || write(conn, &flavors, &waiting));
    let callers = (0..CALLERS).map(|_| RawCaller(claims.clone())).collect();
    drop(claims);
    let round = round::run(callers, &settings.bounds()).await.context("raw")?;
    say(&round.line("SQLite, raw        ", CALLERS));
    anyhow::ensure!(writer.join().is_ok(), "the raw writer panicked");
    rounds.add(&round);
    let doubles = check(&path, &round).await?;
    anyhow::ensure!(doubles == 0, "the raw claims gave {doubles} clusters out twice: they are no yardstick");
    Ok(())
}

async fn check(path: &Path, round: &Round) -> anyhow::Result<u64> {
    let store = open(path).await?;
    let outcome = answers::check(&store, &round.given).await;
    store.close().await;
    outcome
}

/// As durable as the store's own connections.
fn connect(path: &Path) -> anyhow::Result<Connection> {
    let conn = Connection::open(path)?;
    conn.pragma_update(None, "journal_mode", "WAL")?;
    conn.pragma_update(None, "synchronous", "FULL")?;
    conn.pragma_update(None, "temp_store", "MEMORY")?;
    Ok(conn)
}

type Asked = (String, oneshot::Sender<anyhow::Result<String>>);

struct RawCaller(Sender<Asked>);

impl Claim for RawCaller {
    async fn claim(&mut self, user: &str) -> anyhow::Result<String> {
        let (tell, told) = oneshot::channel();
        self.0.send((user.to_owned(), tell)).ok().context("the writer has ended")?;
        told.await.context("the writer has ended")?
    }
}

fn write(mut conn: Connection, flavors: &[FlavorId], waiting: &Receiver<Asked>) {
    while let Ok((user, tell)) = waiting.recv() {
        // The round may have been given up.
        let _ = tell.send(claim(&mut conn, flavors, &user));
    }
}

fn claim(conn: &mut Connection, flavors: &[FlavorId], user: &str) -> anyhow::Result<String> {
    let now = clock::now();
    let lease = Lease {
        id: LeaseId::random(),
        user: UserId::parse(user)?,
        nth: 1,
        key: None,
        applied_at: now,
        metadata: Metadata::new(),
    };
    let life = serde_json::to_string(&Phase::InUse { lease })?;
    let transaction = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut taken = None;
    for (flavor, from) in fill::places(flavors) {
        let mut update = transaction.prepare_cached(
            "UPDATE cluster SET phase = 'in_use', version = version + 1, user = ?1, nth = 1, life = ?2,
                 offer_flavor = NULL, offer_r = NULL, offer_until = NULL
             WHERE id = (SELECT id FROM cluster
                         WHERE offer_flavor = ?3 AND offer_r >= ?4 AND offer_until > ?5 ORDER BY offer_r LIMIT 1)
             RETURNING id",
        )?;
        let mut found = update.query(params![user, life, flavor.as_str(), from, now.as_millis()])?;
        if let Some(row) = found.next()? {
            taken = Some(row.get::<_, String>(0)?);
        }
        // A statement with RETURNING is done only when it has been read to its end.
        while found.next()?.is_some() {}
        if taken.is_some() {
            break;
        }
    }
    transaction.commit()?;
    taken.context("no cluster is left")
}
