//! Two apps and two admins, killed and started again as something that looks after services would.

use std::time::{Duration, Instant};

use anyhow::Context;
use common::store::SharedStore;

use super::door::Door;
use crate::house::{Admin, App, House};
use crate::operator::Operator;

/// A program that cannot reach its store at its start ends and says so; whoever looks after it starts it again.
const STARTS: u32 = 5;

/// A takeover takes ten seconds; more if the primary steps down meanwhile.
const TAKEOVER_LIMIT: Duration = Duration::from_secs(30);

/// The programs of a pool.
#[derive(Debug)]
pub struct Crew<'a> {
    house: &'a House,
    doors: &'a [Door; 2],
    apps: [App; 2],
    admins: [Admin; 2],
}

impl<'a> Crew<'a> {
    /// From running programs; users find the apps at the doors.
    pub fn of(house: &'a House, doors: &'a [Door; 2], apps: [App; 2], admins: [Admin; 2]) -> Crew<'a> {
        Crew { house, doors, apps, admins }
    }

    /// SIGKILL to one app; returns when the next one serves.
    pub async fn kill_app(&mut self, pick: u64) -> anyhow::Result<()> {
        let which = usize::from(pick % 2 == 1);
        self.doors[which].closes();
        self.apps[which].program.kill();
        let mut tries = 0;
        self.apps[which] = loop {
            tries += 1;
            match self.house.start_app().await {
                Ok(app) => break app,
                Err(error) if tries == STARTS => return Err(error.context("starting app again")),
                Err(_) => tokio::time::sleep(Duration::from_millis(200)).await,
            }
        };
        self.doors[which].opens(&self.apps[which].url);
        Ok(())
    }

    /// SIGKILL to the admin that leads, by the lock's record; returns when the next one serves.
    pub async fn kill_leader(&mut self, store: &SharedStore) -> anyhow::Result<()> {
        let leader = self.leader(store).await;
        self.kill_admin(leader).await
    }

    /// SIGKILL to the other one.
    pub async fn kill_standby(&mut self, store: &SharedStore) -> anyhow::Result<()> {
        let leader = self.leader(store).await;
        self.kill_admin(1 - leader).await
    }

    /// SIGSTOP to the admin that leads, until the other one does; how long that took, unless it took longer than it may.
    pub async fn stop_leader(&self, store: &SharedStore) -> anyhow::Result<Option<Duration>> {
        let begun = Instant::now();
        // The lock may still be a dead one's.
        let leader = loop {
            match self.known_leader(store).await {
                Some(leader) => break leader,
                None if begun.elapsed() > TAKEOVER_LIMIT => return Ok(None),
                None => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        };
        self.admins[leader].program.freeze()?;
        let since = Instant::now();
        let outcome = loop {
            match store.lock().await {
                Ok(Some(lock)) if lock.address != self.admins[leader].url => break Some(since.elapsed()),
                _ if since.elapsed() > TAKEOVER_LIMIT => break None,
                _ => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        };
        self.admins[leader].program.thaw()?;
        Ok(outcome)
    }

    /// Without an answer, because the store is away or the lock is a dead one's, either will do.
    async fn leader(&self, store: &SharedStore) -> usize {
        self.known_leader(store).await.unwrap_or(0)
    }

    async fn known_leader(&self, store: &SharedStore) -> Option<usize> {
        let lock = store.lock().await.ok().flatten()?;
        self.admins.iter().position(|admin| admin.url == lock.address)
    }

    async fn kill_admin(&mut self, which: usize) -> anyhow::Result<()> {
        self.admins[which].program.kill();
        let mut tries = 0;
        self.admins[which] = loop {
            tries += 1;
            match self.house.start_admin().await {
                Ok(admin) => break admin,
                Err(error) if tries == STARTS => return Err(error.context("starting admin again")),
                Err(_) => tokio::time::sleep(Duration::from_millis(200)).await,
            }
        };
        Ok(())
    }

    /// An operator at one of the admins.
    pub async fn operator(&self) -> anyhow::Result<Operator> {
        self.admins[0].operator().await.context("signing in")
    }
}
