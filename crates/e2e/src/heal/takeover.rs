//! The leading admin is killed with work waiting, and another one takes over.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use common::clock;
use common::model::{Actor, Event, EventKind, FlavorId, Metadata, UserId};
use common::store::{Applied, Apply, Holding};

use super::Bench;
use crate::house::{Admin, FLAVOR};
use crate::operator::Operator;
use crate::pool::PATIENCE;

/// Between two looks at the engine.
const LOOK_EVERY: Duration = Duration::from_millis(50);

impl Bench {
    /// How long each took, and the admin that leads in the end.
    pub(super) async fn takeovers(
        &self,
        mut leader: Admin,
        operator: &Operator,
        rounds: u32,
        say: &(dyn Fn(&str) + Sync),
    ) -> anyhow::Result<(Vec<Duration>, Admin)> {
        let mut took = Vec::new();
        for number in 1..=rounds {
            let standby = self.house.start_admin().await?;
            let one = self.takeover(leader, number).await?;
            say(&format!("takeover {number}: the standby acted after {:.3} s", one.as_secs_f64()));
            took.push(one);
            leader = standby;
            self.house.until(&operator.at(&leader.url), &format!("{} free", self.capacity)).await;
        }
        Ok((took, leader))
    }

    /// A user's network is released at the very moment at which nobody can remove it any more.
    async fn takeover(&self, mut leader: Admin, number: u32) -> anyhow::Result<Duration> {
        let apply = Apply {
            user: UserId::parse(&format!("user-{number}"))?,
            flavors: vec![FlavorId::parse(FLAVOR)?],
            holding: Holding::GiveSame,
            most: None,
            key: None,
            metadata: Metadata::new(),
            now: clock::now(),
        };
        let Applied::New(held) = self.store.apply(apply).await? else { anyhow::bail!("nothing was on offer") };
        let before = self.store.lock().await?.context("nobody leads")?;
        leader.program.kill();
        let begun = Instant::now();
        let user = held.lease().context("a lease")?.user.clone();
        let current = self.store.cluster(&held.id).await?.context("the cluster")?;
        let released = current.release(user.as_str(), clock::now())?;
        let event =
            Event::new(clock::now(), EventKind::Released, Actor::User { id: user }, "by the bench").about(&released);
        self.store.move_cluster(&current, &released, Some(event)).await?;
        let whole = self.house.engine.look().await?.get(held.id.as_str()).map_or(0, |found| found.containers.len());
        loop {
            let found = self.house.engine.look().await?;
            let left = found.get(held.id.as_str()).map_or(0, |found| found.containers.len());
            if left < whole {
                break;
            }
            ensure!(begun.elapsed() < PATIENCE, "nobody removed the released cluster within {PATIENCE:?}");
            tokio::time::sleep(LOOK_EVERY).await;
        }
        let took = begun.elapsed();
        let now = self.store.lock().await?.context("nobody leads")?;
        ensure!(now.holder != before.holder && now.term > before.term, "the one that was killed still leads: {now:?}");
        Ok(took)
    }
}
