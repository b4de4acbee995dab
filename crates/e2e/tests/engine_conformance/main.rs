//! One scenario, told to the simulated engine and to a real one through `crates/engine`; the answers are compared field by
//! field. What may differ (ids, times, versions, what a simulation has no files for) is listed in [`normal`], with its reason.
#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

mod deep;
mod faults;
mod leftovers;
mod normal;
mod place;
mod project;
mod scenario;
mod swarm;

use std::net::{IpAddr, Ipv4Addr};

use serde_json::Value;
use simdocker::{SimHost, SimOptions};

use place::{Names, Place};

const REAL: &str = "unix:///var/run/docker.sock";

#[tokio::test(flavor = "multi_thread")]
async fn the_simulated_engine_answers_as_a_real_one() {
    let names = Names::fresh();
    let real = Place::new(&names, REAL, IpAddr::V4(Ipv4Addr::LOCALHOST)).await;
    let of_real = scenario::tell(&real).await;
    drop(real);

    let sim = SimHost::start(SimOptions::fresh()).await.unwrap();
    let place = Place::new(&names, &sim.url(), IpAddr::V4(sim.address())).await;
    let of_sim = scenario::tell(&place).await;
    drop(place);

    let steps = |answers: &[(&'static str, Value)]| answers.iter().map(|(step, _)| *step).collect::<Vec<_>>();
    assert_eq!(steps(&of_sim), steps(&of_real));
    let pairs = of_sim.iter().zip(&of_real);
    let differences: Vec<String> =
        pairs.flat_map(|((step, sim), (_, real))| normal::differences(step, sim, real)).collect();
    assert!(differences.is_empty(), "the simulated engine answers otherwise:\n{}", differences.join("\n"));
}
