//! Where a test's store lives: a file in a folder of its own, or a database of its own in the one mongod of this binary.

use std::future::Future;
use std::time::{Duration, Instant};

use common::store::{Limits, SharedStore, StoreTarget, StoreUser, open_with};
use e2e::mongod::Mongod;
use tokio::sync::OnceCell;

/// A store that nobody else uses.
pub struct Home {
    target: StoreTarget,
    _folder: Option<tempfile::TempDir>,
}

static MONGOD: OnceCell<Mongod> = OnceCell::const_new();

/// The mongod that all tests of this binary share; it ends with the process.
pub async fn mongod() -> &'static Mongod {
    MONGOD.get_or_init(|| async { Mongod::start().await.expect("a mongod") }).await
}

/// A name for a database that is nobody else's.
pub fn database() -> String {
    format!("t{}", uuid::Uuid::new_v4().simple())
}

impl Home {
    pub fn sqlite() -> Home {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("data/pool.db");
        Home { target: StoreTarget::Sqlite { path }, _folder: Some(folder) }
    }

    pub async fn mongo() -> Home {
        let url = mongod().await.url();
        Home { target: StoreTarget::Mongo { url, database: database() }, _folder: None }
    }

    /// A store that somebody else keeps the place of.
    pub fn of(target: StoreTarget) -> Home {
        Home { target, _folder: None }
    }

    pub fn target(&self) -> &StoreTarget {
        &self.target
    }

    /// Whether one app and one admin are all that may open it.
    pub fn is_file(&self) -> bool {
        matches!(self.target, StoreTarget::Sqlite { .. })
    }

    /// As app opens it.
    pub async fn app(&self) -> SharedStore {
        self.open(StoreUser::App, Limits::default()).await
    }

    /// As admin opens it: beside app, as another process would.
    pub async fn admin(&self) -> SharedStore {
        self.open(StoreUser::Admin, Limits::default()).await
    }

    pub async fn open(&self, user: StoreUser, limits: Limits) -> SharedStore {
        open_with(&self.target, user, limits).await.expect("the store opens")
    }
}

/// Asks again and again until it is so; panics with the last that was seen when it never is.
pub async fn wait_until<T, F>(what: &str, mut look: impl FnMut() -> F)
where
    T: std::fmt::Debug,
    F: Future<Output = Result<(), T>>,
{
    let ends = Instant::now() + Duration::from_secs(20);
    loop {
        match look().await {
            Ok(()) => return,
            Err(seen) if Instant::now() > ends => panic!("never {what}: {seen:?}"),
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}
