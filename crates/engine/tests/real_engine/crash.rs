//! Rules of being ended half-way: at each call in turn, then again.

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;

use engine::EngineError;

use crate::bench::Bench;
use crate::spec::two;

/// Runs a future until its fence was asked for the `step`th time, lets it go on for `polls` polls, so that the call goes
/// out, and drops it. `None` if it was dropped.
async fn drop_at<T>(step: usize, polls: usize, asked: &AtomicUsize, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    let mut more = polls;
    std::future::poll_fn(|context| {
        if let Poll::Ready(done) = future.as_mut().poll(context) {
            return Poll::Ready(Some(done));
        }
        if asked.load(Ordering::SeqCst) < step {
            return Poll::Pending;
        }
        if more == 0 {
            return Poll::Ready(None);
        }
        more -= 1;
        Poll::Pending
    })
    .await
}

/// How many calls a piece of work makes, at most this many are tried.
const MOST: usize = 60;

#[tokio::test(flavor = "multi_thread")]
async fn an_up_that_died_at_any_call_is_finished_by_the_next() {
    let bench = Bench::new().await;
    let project = two(&bench, 0);
    for step in 1..MOST {
        let asked = AtomicUsize::new(0);
        let count = || {
            asked.fetch_add(1, Ordering::SeqCst);
            Ok(())
        };
        let whole = drop_at(step, step % 3, &asked, bench.up_fenced(&project, 0, &count)).await;
        let again = bench.up(&project, 0).await;
        let ids = again.unwrap_or_else(|error| panic!("up after one that died at call {step}: {error}"));
        let survey = bench.survey().await;
        assert_eq!(survey.ours.len(), 1, "step {step}");
        let found = &survey.ours[0];
        assert_eq!((found.containers.len(), found.networks.len(), found.volumes.len()), (2, 1, 1), "step {step}");
        assert!(ids.values().all(|id| found.containers.iter().any(|c| c.id == *id)), "step {step}");
        bench.down(0).await.unwrap_or_else(|error| panic!("down after step {step}: {error}"));
        bench.assert_clean().await;
        if whole.is_some() {
            assert!(step > 8, "up made {step} calls only: the test counts wrongly");
            return;
        }
    }
    panic!("up made more than {MOST} calls");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_down_that_died_at_any_call_is_finished_by_the_next() {
    let bench = Bench::new().await;
    let project = two(&bench, 0);
    for step in 1..MOST {
        bench.up(&project, 0).await.unwrap_or_else(|error| panic!("up before step {step}: {error}"));
        let asked = AtomicUsize::new(0);
        let count = || {
            asked.fetch_add(1, Ordering::SeqCst);
            Ok(())
        };
        let whole = drop_at(step, step % 3, &asked, bench.down_fenced(0, &count)).await;
        bench.down(0).await.unwrap_or_else(|error| panic!("down after one that died at call {step}: {error}"));
        bench.assert_clean().await;
        if whole.is_some() {
            assert!(step > 8, "down made {step} calls only: the test counts wrongly");
            return;
        }
    }
    panic!("down made more than {MOST} calls");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_up_that_died_at_any_call_is_removed_by_down() {
    let bench = Bench::new().await;
    let project = two(&bench, 0);
    // Every third call: the other two kinds of crash are above.
    for step in (1..MOST).step_by(3) {
        let asked = AtomicUsize::new(0);
        let fence = || {
            if asked.fetch_add(1, Ordering::SeqCst) < step { Ok(()) } else { Err(EngineError::Fenced) }
        };
        let whole = bench.up_fenced(&project, 0, &fence).await;
        bench.down(0).await.unwrap_or_else(|error| panic!("down after an up that ended at call {step}: {error}"));
        bench.assert_clean().await;
        match whole {
            Ok(_) => {
                assert!(step > 8, "up made {step} calls only: the test counts wrongly");
                return;
            }
            Err(error) => assert_eq!(error, EngineError::Fenced, "step {step}"),
        }
    }
    panic!("up made more than {MOST} calls");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_no_longer_leads_touches_nothing() {
    let bench = Bench::new().await;
    let project = two(&bench, 0);
    bench.up(&project, 0).await.unwrap();
    let before = bench.survey().await.ours;
    let fenced = || Err(EngineError::Fenced);
    assert_eq!(bench.down_fenced(0, &fenced).await, Err(EngineError::Fenced));
    assert_eq!(bench.up_fenced(&project, 0, &fenced).await, Err(EngineError::Fenced));
    let id = &before[0].containers[0].id;
    assert_eq!(bench.engine.start_node(id, &fenced).await, Err(EngineError::Fenced));
    assert_eq!(bench.survey().await.ours, before);
}

#[test]
fn work_may_move_between_threads() {
    fn may_move<T: Send>(_: impl FnOnce(&'static Bench) -> T) {}
    may_move(|bench| bench.engine.events(&bench.pool));
    may_move(|bench| bench.down_fenced(0, &|| Ok(())));
    may_move(|bench| async {
        let project = two(bench, 0);
        bench.up_fenced(&project, 0, &|| Ok(())).await
    });
}
