//! Rounds on a real, private MongoDB: through app, and by the driver's own conditional find-and-update beside it.

use anyhow::Context;
use common::clock;
use common::model::{FlavorId, Lease, LeaseId, Metadata, Phase, UserId};
use common::store::{SharedStore, StoreTarget, StoreUser};
use mongodb::bson::{Document, RawDocumentBuf, doc, serialize_to_bson};
use mongodb::options::{ClientOptions, ReturnDocument, WriteConcern};
use mongodb::{Client, Collection, Database};

use super::app::{App, Door};
use super::report::{Measured, Rounds};
use super::round::{self, Claim, Given, Round};
use super::{Settings, answers, fill};
use crate::mongod::Mongod;

const DATABASE: &str = "bench";
const CLUSTERS: &str = "clusters";

/// The free pool, to begin each round with.
const FREE: &str = "bench_free_clusters";

struct Bench<'a> {
    settings: &'a Settings,
    /// As it ships, with tokens.
    app: App,
    /// The same without, and what that saves.
    open: App,
    store: SharedStore,
    client: Client,
    flavors: Vec<FlavorId>,
}

/// All rounds on MongoDB.
pub(super) async fn measure(
    settings: &Settings,
    measured: &mut Measured,
    say: &(dyn Fn(&str) + Sync),
) -> anyhow::Result<()> {
    say("starting mongod");
    let mongod = Mongod::start().await.context("starting mongod")?;
    let target = StoreTarget::Mongo { url: mongod.url(), database: DATABASE.into() };
    let store = common::store::open(&target, StoreUser::Admin).await.context("opening the store")?;
    say(&format!("putting {} clusters on offer", settings.clusters));
    let flavors = fill::fill(&store, settings.clusters).await?;
    let client = client(&mongod.url()).await?;
    copy(&client.database(DATABASE)).await?;
    let door = Door::with_token(&store).await?;
    let app = App::start(&settings.app, &target, door).await?;
    let open = App::start(&settings.app, &target, Door::Open).await?;
    let bench = Bench { settings, app, open, store, client, flavors };
    let outcome = bench.rounds(measured, say).await;
    bench.store.close().await;
    bench.client.shutdown().immediate(true).await;
    outcome
}

impl Bench<'_> {
    async fn rounds(&self, measured: &mut Measured, say: &(dyn Fn(&str) + Sync)) -> anyhow::Result<()> {
        // Nobody measures the first time that code and pages are touched.
        self.ours(&self.app, 64, &mut Rounds::default(), &mut measured.double_leases, say).await?;
        self.ours(&self.open, 64, &mut Rounds::default(), &mut measured.double_leases, say).await?;
        self.raw(64, &mut Rounds::default(), say).await?;
        for _ in 0..self.settings.rounds {
            self.ours(&self.app, 64, &mut measured.ours_64, &mut measured.double_leases, say).await?;
            self.ours(&self.open, 64, &mut measured.open_64, &mut measured.double_leases, say).await?;
            self.raw(64, &mut measured.raw_64, say).await?;
        }
        for _ in 0..self.settings.rounds.div_ceil(2) {
            self.ours(&self.app, 16, &mut measured.ours_16, &mut measured.double_leases, say).await?;
            self.raw(16, &mut measured.raw_16, say).await?;
            self.ours(&self.app, 1, &mut measured.ours_1, &mut measured.double_leases, say).await?;
            self.raw(1, &mut measured.raw_1, say).await?;
        }
        measured.peak_mib = measured.peak_mib.max(self.app.peak_mib()?);
        Ok(())
    }

    async fn ours(
        &self,
        app: &App,
        connections: usize,
        rounds: &mut Rounds,
        doubles: &mut u64,
        say: &(dyn Fn(&str) + Sync),
    ) -> anyhow::Result<()> {
        self.restore().await?;
        let round = self.settings.through_app(app, connections).await?;
        let what = if std::ptr::eq(app, &self.open) { "MongoDB, app, open  " } else { "MongoDB, through app" };
        say(&round.line(what, connections));
        rounds.add(&round);
        *doubles += self.check(&round.given).await?;
        Ok(())
    }

    async fn raw(&self, callers: usize, rounds: &mut Rounds, say: &(dyn Fn(&str) + Sync)) -> anyhow::Result<()> {
        self.restore().await?;
        let round = self.raw_round(callers).await?;
        say(&round.line("MongoDB, raw        ", callers));
        rounds.add(&round);
        let doubles = self.check(&round.given).await?;
        anyhow::ensure!(doubles == 0, "the raw claims gave {doubles} clusters out twice: they are no yardstick");
        Ok(())
    }

    async fn raw_round(&self, callers: usize) -> anyhow::Result<Round> {
        let clusters = self.client.database(DATABASE).collection(CLUSTERS);
        let claimer = || RawClaimer { clusters: clusters.clone(), flavors: self.flavors.clone() };
        let callers = std::iter::repeat_with(claimer).take(callers).collect();
        round::run(callers, &self.settings.bounds()).await.context("raw")
    }

    /// Puts the pool back to what it was, and the disk at rest.
    async fn restore(&self) -> anyhow::Result<()> {
        let database = self.client.database(DATABASE);
        let merge = doc! { "$merge": { "into": CLUSTERS, "on": "_id", "whenMatched": "replace" } };
        database.collection::<Document>(FREE).aggregate([merge]).await.context("restoring the pool")?;
        self.client.database("admin").run_command(doc! { "fsync": 1 }).await.context("a checkpoint")?;
        Ok(())
    }

    async fn check(&self, given: &[Given]) -> anyhow::Result<u64> {
        answers::check(&self.store, given).await
    }
}

/// A client with a connection for each caller, that promises what the store promises.
async fn client(url: &str) -> anyhow::Result<Client> {
    let mut options = ClientOptions::parse(url).await.context("reading mongod's URL")?;
    options.max_pool_size = Some(64);
    options.write_concern = Some(WriteConcern::majority());
    Ok(Client::with_options(options)?)
}

async fn copy(database: &Database) -> anyhow::Result<()> {
    let clusters = database.collection::<Document>(CLUSTERS);
    clusters.aggregate([doc! { "$out": FREE }]).await.context("copying the pool").map(drop)
}

/// Claims as a plain program would: one random candidate, one command.
struct RawClaimer {
    clusters: Collection<RawDocumentBuf>,
    flavors: Vec<FlavorId>,
}

impl Claim for RawClaimer {
    async fn claim(&mut self, user: &str) -> anyhow::Result<String> {
        let now = clock::now();
        let lease = Lease {
            id: LeaseId::random(),
            user: UserId::parse(user)?,
            nth: 1,
            key: None,
            applied_at: now,
            metadata: Metadata::new(),
        };
        let phase = serialize_to_bson(&Phase::InUse { lease })?;
        for (flavor, from) in fill::places(&self.flavors) {
            let candidate = doc! {
                "offer.flavor": flavor.as_str(), "offer.r": { "$gte": from }, "offer.until": { "$gt": now.as_millis() },
            };
            let change =
                doc! { "$set": { "phase": phase.clone() }, "$inc": { "version": 1_i64 }, "$unset": { "offer": "" } };
            let taken = self.clusters.find_one_and_update(candidate, change).return_document(ReturnDocument::After);
            if let Some(cluster) = taken.await? {
                return Ok(cluster.get_str("_id")?.to_owned());
            }
        }
        anyhow::bail!("no cluster is left")
    }
}
