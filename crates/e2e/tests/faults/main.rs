//! Something goes wrong at every call that a pool makes: it comes to rest all the same, nothing leaks, nothing doubles.
//!
//! Each story is told without trouble first, to learn its calls to the engine and to the store; then once for each call and
//! each thing that can go wrong there, each time to a pool and a simulated engine of its own, many side by side.
//!
//! All of it is some minutes of processor time, so a plain run takes one point in eight: which ones is drawn, and said.
//! `FAULTS=all` takes all, `FAULTS=3/8` the fourth eighth, `FAULTS=release` a story, `FAULTS="release: GET /info #1: Hang"`
//! one point.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it tells how many points it went through")]

mod calm;
mod check;
mod choice;
mod point;
mod run;
mod stage;
mod story;
mod tally;

use calm::Calm;
use choice::Choice;
use point::Learnt;
use story::Story;
use tally::Tally;
use tokio::task::JoinSet;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_pool_comes_to_rest_whatever_goes_wrong_wherever() {
    let choice = Choice::read();
    println!("{choice}");
    let (mut tally, calm) = (Tally::default(), Calm::new());
    let mut runs = JoinSet::new();
    for (story, learnt) in learn_all(&choice, &calm).await {
        for (n, point) in learnt.points().into_iter().enumerate() {
            tally.there_is(story);
            if !choice.takes(story, n, &point) {
                continue;
            }
            let calm = calm.clone();
            runs.spawn(async move {
                let _turn = calm.turn().await;
                let told = run::tell(story, Some(&point)).await;
                (story, point, told)
            });
        }
    }
    while let Some(ended) = runs.join_next().await {
        let (story, point, told) = ended.unwrap();
        tally.add(story, &point, told);
    }
    tally.say();
    tally.must_be_clean();
}

/// The calls of each story that is to be told.
async fn learn_all(choice: &Choice, calm: &Calm) -> Vec<(Story, Learnt)> {
    let mut runs = JoinSet::new();
    for story in Story::all().into_iter().filter(|story| choice.tells(*story)) {
        // How often lists are read depends on how events fall together; two tellings rarely differ by much.
        let calm = calm.clone();
        runs.spawn(async move {
            let _turn = calm.turn().await;
            let mut learnt = Learnt::default();
            for _ in 0..2 {
                match run::tell(story, None).await {
                    Ok(told) => learnt = learnt.with(told.learnt),
                    Err(error) => panic!("{}, with no trouble: {error:?}", story.name()),
                }
            }
            (story, learnt)
        });
    }
    let mut all = runs.join_all().await;
    all.sort_by_key(|(story, _)| *story);
    all
}
