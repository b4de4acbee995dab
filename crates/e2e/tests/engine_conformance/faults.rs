//! A fault at every call in turn: `up` and `down` end with an error that somebody can act on, and the next one finishes.

use std::net::IpAddr;
use std::time::Duration;

use common::compose::Project;
use engine::{EngineError, UpLimits};
use simdocker::{FaultKind, FaultRule, SimHost, SimOptions};

use crate::place::{Names, Place};
use crate::project::{free, project};

/// More calls than either makes.
const MOST: u64 = 60;

fn kinds() -> [FaultKind; 5] {
    let error = FaultKind::Error { status: 500, message: "made to fail".to_owned() };
    [FaultKind::Refuse, FaultKind::Reset, error, FaultKind::Cut, FaultKind::LoseAnswer]
}

struct Host {
    sim: SimHost,
    place: Place,
    project: Project,
}

impl Host {
    async fn new() -> Host {
        let sim = SimHost::start(SimOptions::fresh()).await.unwrap();
        let place = Place::new(&Names::fresh(), &sim.url(), IpAddr::V4(sim.address())).await;
        // What is said to be started and is not would be waited for to the end.
        let project = Project { create_within: Duration::from_secs(2), ..project(&place) };
        Host { sim, place, project }
    }

    async fn up(&self) -> Result<(), EngineError> {
        let limits = UpLimits::default();
        let owner = self.place.names.owner();
        self.place.engine.up(&self.project, &owner, &limits, &free, &|_| {}).await.map(drop)
    }

    async fn down(&self) -> Result<(), EngineError> {
        let names = &self.place.names;
        self.place.engine.down(&names.pool, &names.cluster, &[format!("{}-", names.cluster)], &free).await.map(drop)
    }

    fn is_whole(&self) -> bool {
        let running = self.sim.containers().iter().filter(|container| container.state == "running").count();
        (running, self.sim.networks().len(), self.sim.volumes().len()) == (2, 1, 2)
    }

    fn is_empty(&self) -> bool {
        self.sim.containers().is_empty() && self.sim.networks().is_empty() && self.sim.volumes().is_empty()
    }

    /// Does the work with the fault at its nth call. Whether the fault struck.
    async fn with_fault(
        &self,
        nth: u64,
        kind: &FaultKind,
        work: impl Future<Output = Result<(), EngineError>>,
    ) -> bool {
        let rule = self.sim.faults().add(FaultRule::at_call(nth, kind.clone()));
        let answer = work.await;
        let struck = self.sim.faults().list().iter().any(|fault| fault.id == rule && fault.struck > 0);
        self.sim.faults().clear();
        match (&answer, kind) {
            (Ok(()), _) => {}
            (Err(EngineError::Refused { message, .. }), FaultKind::Error { .. }) => assert_eq!(message, "made to fail"),
            (Err(EngineError::ImageMissing { .. } | EngineError::NotEmpty { .. }), FaultKind::Error { .. }) => {}
            (Err(EngineError::Unreachable { .. }), _) => {}
            // Nobody has said that it happened, and only a look tells.
            (Err(_), FaultKind::Lie) => {}
            (Err(error), _) => panic!("{kind:?} at call {nth} is said to be: {error:?}"),
        }
        struck
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_up_that_failed_at_any_call_is_finished_by_the_next() {
    let host = Host::new().await;
    for kind in kinds().into_iter().chain([FaultKind::Lie]) {
        let mut struck = true;
        let mut nth = 0;
        while struck {
            nth += 1;
            assert!(nth < MOST, "up makes more than {MOST} calls");
            struck = host.with_fault(nth, &kind, host.up()).await;
            host.up().await.unwrap_or_else(|error| panic!("up after {kind:?} at call {nth}: {error}"));
            assert!(host.is_whole(), "after {kind:?} at call {nth}: {:?}", host.sim.containers());
            host.down().await.unwrap_or_else(|error| panic!("down after {kind:?} at call {nth}: {error}"));
            assert!(host.is_empty(), "after {kind:?} at call {nth}: {:?}", host.sim.containers());
        }
        assert!(nth > 10, "up makes {nth} calls only: the test counts wrongly");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_down_that_failed_at_any_call_is_finished_by_the_next() {
    let host = Host::new().await;
    for kind in kinds() {
        let mut struck = true;
        let mut nth = 0;
        while struck {
            nth += 1;
            assert!(nth < MOST, "down makes more than {MOST} calls");
            host.up().await.unwrap_or_else(|error| panic!("up before {kind:?} at call {nth}: {error}"));
            struck = host.with_fault(nth, &kind, host.down()).await;
            host.down().await.unwrap_or_else(|error| panic!("down after {kind:?} at call {nth}: {error}"));
            assert!(host.is_empty(), "after {kind:?} at call {nth}: {:?}", host.sim.containers());
        }
        assert!(nth > 10, "down makes {nth} calls only: the test counts wrongly");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_told_as_no_room_whatever_it_stops() {
    let host = Host::new().await;
    host.sim.set_disk_full(true);
    // Nothing there, then all there but not running.
    let error = host.up().await.expect_err("nothing can be made");
    assert!(matches!(error, EngineError::NoSpace { .. }), "{error:?}");
    host.sim.set_disk_full(false);
    host.up().await.unwrap();
    let names: Vec<_> = host.sim.containers().into_iter().map(|container| container.id).collect();
    for id in &names {
        host.place.engine.stop_node(id, Duration::ZERO, &free).await.unwrap();
    }
    host.sim.set_disk_full(true);
    let error = host.up().await.expect_err("nothing can be started");
    assert!(matches!(error, EngineError::NoSpace { .. }), "{error:?}");
    host.down().await.expect("what is there can go");
    assert!(host.is_empty());
}
