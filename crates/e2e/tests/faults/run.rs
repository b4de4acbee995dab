//! One run: a story told to a pool of its own, with at most one thing going wrong.

use std::fmt;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail};
use e2e::tripwire::Mishap;
use simdocker::FaultKind;

use crate::check::{self, Wanted};
use crate::point::{Learnt, Point, When};
use crate::stage::Stage;
use crate::story::Story;

/// A pool that has not come to rest by then never will: the longest backoff at this pace is a few seconds.
const PATIENCE: Duration = Duration::from_secs(60);
/// So many times a run is told again on a busy machine.
const TRIES: usize = 3;
/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(15);
/// What rests this long with its timers running (a tick is a quarter second) rests.
const REST: Duration = Duration::from_millis(80);

/// What came of a run.
pub struct Told {
    /// Whether the point was reached.
    pub struck: bool,
    /// What it did.
    pub learnt: Learnt,
    /// From what happened to rest.
    pub took: Duration,
    /// How many times the machine was too busy for it before.
    pub too_busy: usize,
}

/// The pool did not come to rest in time.
#[derive(Debug)]
struct NotWithin(String);

impl fmt::Display for NotWithin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not within {PATIENCE:?}; last seen: {}", self.0)
    }
}

impl std::error::Error for NotWithin {}

/// Tells a story; an error is what did not hold, with what was seen last.
///
/// A pool that was not in time on a machine that kept no times is told of again. What must never be seen is not excused.
pub async fn tell(story: Story, point: Option<&Point>) -> anyhow::Result<Told> {
    let mut too_busy = 0;
    loop {
        match tell_once(story, point).await {
            Ok(told) => return Ok(Told { too_busy, ..told }),
            Err((error, true)) if too_busy < TRIES && error.is::<NotWithin>() => too_busy += 1,
            Err((error, _)) => return Err(error),
        }
    }
}

/// An error comes with whether the machine was too busy.
async fn tell_once(story: Story, point: Option<&Point>) -> Result<Told, (anyhow::Error, bool)> {
    let mut stage = Stage::open(story.capacity()).await.map_err(|error| (error, false))?;
    let told = tell_on(&mut stage, story, point).await;
    let told = match told {
        Ok(told) => Ok(told),
        Err(error) => Err((error.context(last_seen(&stage).await), stage.lateness.is_too_much())),
    };
    stage.close().await;
    told
}

async fn tell_on(stage: &mut Stage, story: Story, point: Option<&Point>) -> anyhow::Result<Told> {
    if let Some(before) = story.before() {
        stage.start();
        settle(stage, story, &before).await.context("before anything happened")?;
    }
    story.prepare(stage).await?;
    stage.sim.journal().clear();
    arm(stage, point);
    let armed = Instant::now();
    story.happen(stage).await?;
    let mut after = story.after();
    // Only what goes wrong on the engine may end a making that nobody repeats: no end of the reconciler does.
    after.or_none = story == Story::Create && matches!(point, Some(Point::Fault(..)));
    let struck = strike(stage, story, point, &after).await?;
    if let Some(Point::Fault(_, FaultKind::Slow { by_ms })) = point {
        // It is carried out in the end, however long ago its caller gave up.
        tokio::time::sleep_until((armed + Duration::from_millis(by_ms + 50)).into()).await;
    }
    settle(stage, story, &after).await?;
    let took = armed.elapsed();
    check::strangers_were_left_alone(stage).map_err(|error| anyhow!(error))?;
    check::every_removal_has_its_reason(stage).await.map_err(|error| anyhow!(error))?;
    let learnt = Learnt::new(&stage.sim.journal().calls(), stage.wire.counts());
    Ok(Told { struck, learnt, took, too_busy: 0 })
}

fn arm(stage: &Stage, point: Option<&Point>) {
    stage.wire.arm(None);
    match point {
        None => {}
        Some(Point::Fault(spot, fault)) => _ = stage.sim.faults().add(spot.rule(fault.clone())),
        Some(Point::KillAtCall(spot, When::Before)) => _ = stage.sim.faults().add(spot.rule(FaultKind::Hang)),
        Some(Point::KillAtCall(spot, When::After)) => _ = stage.sim.faults().add(spot.rule(FaultKind::Withhold)),
        Some(Point::Store(trip)) => stage.wire.arm(Some(trip.clone())),
    }
}

/// Waits until it went wrong, or until the story is over without it; kills the reconciler if that is what goes wrong.
async fn strike(stage: &mut Stage, story: Story, point: Option<&Point>, after: &Wanted) -> anyhow::Result<bool> {
    let Some(point) = point else { return Ok(true) };
    let struck = {
        let stage = &*stage;
        let struck = || has_struck(stage, point);
        tokio::select! {
            biased;
            () = until(struck) => true,
            settled = settle(stage, story, after) => { settled?; has_struck(stage, point) }
        }
    };
    // What comes only now, after the story is over, is let through: nobody would be killed for it.
    let struck = stage.wire.disarm() || struck;
    let kills = match point {
        Point::Fault(..) => false,
        Point::KillAtCall(..) => true,
        Point::Store(trip) => matches!(trip.mishap, Mishap::StopBefore | Mishap::StopAfter),
    };
    if struck && kills {
        stage.kill_and_start_another();
    }
    stage.sim.faults().clear();
    Ok(struck)
}

fn has_struck(stage: &Stage, point: &Point) -> bool {
    match point {
        Point::Fault(..) | Point::KillAtCall(..) => stage.sim.faults().list().iter().any(|fault| fault.struck > 0),
        Point::Store(_) => stage.wire.has_tripped(),
    }
}

async fn until(mut holds: impl FnMut() -> bool) {
    while !holds() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Waits until the pool is as wanted and stays so, and never sees it larger than it may be.
async fn settle(stage: &Stage, story: Story, wanted: &Wanted) -> anyhow::Result<()> {
    let begun = Instant::now();
    let mut resting: Option<(Instant, usize)> = None;
    loop {
        let records = stage.pool.clusters().await.len();
        if records > usize::from(story.capacity()) {
            bail!("{records} clusters, and room for {}", story.capacity());
        }
        match is_over(stage, story, wanted).await {
            Ok(()) => {
                let changes = changes(stage);
                match resting {
                    Some((since, before)) if before == changes && since.elapsed() >= REST => return Ok(()),
                    Some((_, before)) if before == changes => {}
                    _ => resting = Some((Instant::now(), changes)),
                }
            }
            Err(seen) if begun.elapsed() > PATIENCE => bail!(NotWithin(seen)),
            Err(_) => resting = None,
        }
        stage.lateness.nap(LOOK_EVERY).await;
    }
}

/// Calls so far that may change something.
fn changes(stage: &Stage) -> usize {
    stage.sim.journal().calls().iter().filter(|call| call.method != "GET" && call.method != "HEAD").count()
}

async fn is_over(stage: &Stage, story: Story, wanted: &Wanted) -> Result<(), String> {
    check::at_rest(stage, wanted).await?;
    if stage.subject.is_some() { story.end(stage).await } else { Ok(()) }
}

async fn last_seen(stage: &Stage) -> String {
    let calls = stage.sim.journal().calls();
    let tail: Vec<String> = calls
        .iter()
        .rev()
        .take(40)
        .rev()
        .map(|call| {
            format!("{} {}?{} {:?} {}", call.method, call.path, call.query, call.outcome, call.fault.unwrap_or(""))
        })
        .collect();
    let events = stage.pool.store.list_events(&Default::default(), &common::store::Page::first(30)).await;
    let events: Vec<String> = events
        .unwrap_or_default()
        .iter()
        .rev()
        .map(|event| format!("{} {:?} {:?} {}", event.at.as_millis(), event.kind, event.cluster, event.reason))
        .collect();
    format!(
        "the pool: {}\noutlook: {:#?}\nits last calls:\n  {}\nits events:\n  {}",
        stage.pool.summary().await,
        stage.pool.reconciler.outlook(),
        tail.join("\n  "),
        events.join("\n  ")
    )
}
