//! The bench of pages: how long a real admin takes for each list that operators look at, with few clusters and with a
//! hundred thousand, on both stores, by turns in the same run.
//!
//! The hosts are records only: this process holds the reconciler's lock, so that no admin looks after them.
//! docs/benchmarks.md says what the numbers mean.

mod fill;
mod measure;
mod past;
mod report;
mod urls;

use std::time::Duration;

use anyhow::{Context, ensure};
use common::clock;
use common::store::{SharedStore, StoreTarget, StoreUser};
use tempfile::TempDir;

pub use self::report::{PageNumbers, Report};

use self::fill::Filled;
use self::measure::Times;
use crate::browser::Browser;
use crate::mongod::Mongod;
use crate::program::{Environment, Program};

/// What a run is to be like.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Clusters of the small pool.
    pub few: u32,
    /// Clusters of the large one.
    pub many: u32,
    /// Requests for each page of each pool.
    pub requests: u32,
}

/// Clusters on a host.
pub(crate) const PER_HOST: u32 = 100;

const USERNAME: &str = "otto";
const PASSWORD: &str = "a password for benches";

/// Longer than any run.
const LOCKED_FOR: Duration = Duration::from_secs(24 * 3600);

/// Runs all of it. What goes on is told to `say`, a line at a time.
pub async fn run(settings: &Settings, say: &(dyn Fn(&str) + Sync)) -> anyhow::Result<Report> {
    let mut report = Report::default();
    let folder = tempfile::Builder::new().prefix("poolmanager-bench-pages-").tempdir()?;
    let file = |name: &str| StoreTarget::Sqlite { path: folder.path().join(name).join("poolmanager.db") };
    measure("sqlite", settings, [file("few"), file("many")], &mut report, say).await.context("on SQLite")?;
    say("starting mongod");
    let mongod = Mongod::start().await.context("starting mongod")?;
    let database = |name: &str| StoreTarget::Mongo { url: mongod.url(), database: format!("bench_pages_{name}") };
    measure("mongodb", settings, [database("few"), database("many")], &mut report, say).await.context("on MongoDB")?;
    report.finish()
}

/// A filled pool, its admin, and an operator who is signed in there.
struct Pool {
    store: SharedStore,
    filled: Filled,
    browser: Browser,
    _admin: Program,
    _folder: TempDir,
}

async fn measure(
    store: &'static str,
    settings: &Settings,
    [few, many]: [StoreTarget; 2],
    report: &mut Report,
    say: &(dyn Fn(&str) + Sync),
) -> anyhow::Result<()> {
    let mut small = Pool::open(&few, settings.few, say).await?;
    let mut large = Pool::open(&many, settings.many, say).await?;
    for page in urls::pages() {
        let (mut of_small, mut of_large) = (Times::default(), Times::default());
        for n in 0..settings.requests + measure::WARM_UP {
            for (pool, times) in [(&mut small, &mut of_small), (&mut large, &mut of_large)] {
                let path = (page.path)(&pool.filled);
                let took = measure::time(&mut pool.browser, &path).await?;
                if n >= measure::WARM_UP {
                    times.add(took);
                }
            }
        }
        let numbers = PageNumbers::of(store, &page, &of_small, &of_large)?;
        say(&numbers.line());
        report.pages.push(numbers);
    }
    for pool in [small, large] {
        pool.store.close().await;
    }
    Ok(())
}

impl Pool {
    async fn open(target: &StoreTarget, clusters: u32, say: &(dyn Fn(&str) + Sync)) -> anyhow::Result<Pool> {
        // As app opens it: admin is another process.
        let store = common::store::open(target, StoreUser::App).await.context("opening the store")?;
        let locked = store.take_lock("the bench", "http://127.0.0.1:1", LOCKED_FOR, clock::now()).await?;
        locked.context("somebody else has the lock")?;
        let begun = std::time::Instant::now();
        let filled = fill::fill(&store, clusters).await?;
        say(&format!("{clusters} clusters were put there in {:.1} s", begun.elapsed().as_secs_f64()));
        let folder = tempfile::Builder::new().prefix("poolmanager-bench-admin-").tempdir()?;
        let mut environment: Environment = [
            ("ADMIN_BIND", "127.0.0.1".to_owned()),
            ("ADMIN_PORT", "0".into()),
            ("ADMIN_USERNAME", USERNAME.into()),
            ("ADMIN_PASSWORD", PASSWORD.into()),
            ("INTERNAL_SECRET", "nobody-rings-in-a-bench-of-pages".into()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
        match target {
            StoreTarget::Mongo { url, database } => {
                environment.insert("MONGO_URL".into(), url.clone());
                environment.insert("MONGO_DB".into(), database.clone());
            }
            StoreTarget::Sqlite { path } => {
                let data = path.parent().context("a file in a folder")?;
                environment.insert("DATA_DIR".into(), data.display().to_string());
            }
        }
        let mut admin = Program::start("poolmanager-admin", &[], &environment, &folder.path().join("log"))?;
        let url = admin.address().await?;
        let mut browser = Browser::sign_in(&url, USERNAME, PASSWORD).await?;
        let all = browser.open("/api/v1/clusters?limit=1").await?.json();
        ensure!(all["total"] == clusters, "admin sees {} clusters, not {clusters}", all["total"]);
        Ok(Pool { store, filled, browser, _admin: admin, _folder: folder })
    }
}
