//! A thousand calls by chance: users a to z apply and release in any order, and no two ever have one network.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::say;
use e2e::house::{App, House};
use e2e::pool::PATIENCE;
use e2e::wait::wait_until;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use simdocker::{SimHost, SimOptions};
use tokio::task::JoinSet;

const CALLS: usize = 1000;
const CLERKS: usize = 4;
const CAPACITY: u16 = 6;
/// They go on until so many leases were given, so that the pool is refilled several times on the way.
const LEASES: usize = 40;

/// Who was ever given which cluster. An id is given to one user in its life.
type Given = Arc<Mutex<BTreeMap<String, String>>>;

/// Calls for some users, one after another, knowing exactly what each of them has.
struct Clerk {
    app: Arc<App>,
    users: Vec<String>,
    given: Given,
    has: BTreeMap<String, String>,
    chance: StdRng,
}

impl Clerk {
    async fn call(&mut self) {
        let user = self.users[self.chance.random_range(0..self.users.len())].clone();
        match self.chance.random_range(0..10) {
            0..=4 => self.apply(&user).await,
            // More often than a release of what somebody has: of what she may not have.
            _ => self.release(&user).await,
        }
    }

    async fn apply(&mut self, user: &str) {
        let lease = if self.chance.random() {
            let answer = self.app.get("/v1/cluster_apply", &[("user_id", user)]).await.unwrap();
            let json = answer.json();
            if answer.status == 200 { Ok(json) } else { Err(json["error"].as_str().unwrap_or_default().to_owned()) }
        } else {
            self.app.apply(user).await.unwrap()
        };
        match (lease, self.has.get(user)) {
            (Ok(lease), has) => {
                let id = lease["id"].as_str().unwrap().to_owned();
                assert_eq!(lease["user_id"], user);
                assert!(has.is_none_or(|has| *has == id), "{user} has {has:?} and was given {lease}");
                let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
                let owner = given.entry(id.clone()).or_insert_with(|| user.to_owned());
                assert_eq!(owner, user, "two users were given {id}");
                assert!(has.is_some() || self.has.values().all(|other| *other != id), "{id} was given twice");
                self.has.insert(user.to_owned(), id);
            }
            (Err(words), None) => {
                assert_eq!(words, format!("No available res for {user}"));
                self.until_some_is_free().await;
            }
            (Err(words), Some(has)) => panic!("{user} has {has} and is told: {words}"),
        }
    }

    /// For a moment: all may be held, by users who are this clerk's.
    async fn until_some_is_free(&self) {
        let free = wait_until("some to be free", PATIENCE, || async {
            let listed = self.app.get("/v2/clusters", &[("user_id", "")]).await.unwrap().is(200).json();
            if listed["data"].as_array().is_some_and(|free| !free.is_empty()) { Ok(()) } else { Err(String::new()) }
        });
        let _ = tokio::time::timeout(Duration::from_millis(200), free).await;
    }

    async fn release(&mut self, user: &str) {
        let answer = match (self.has.get(user), self.chance.random()) {
            (Some(id), true) => self.app.get("/v2/cluster_op", &[("action", "release"), ("cluster_id", id)]).await,
            _ if self.chance.random() => self.app.get("/v2/cluster_release", &[("user_id", user)]).await,
            _ => self.app.get("/v1/cluster_release", &[("user_id", user)]).await,
        };
        let answer = answer.unwrap();
        assert_eq!(answer.is(200).json()["status"], "OK", "{}", answer.text);
        self.has.remove(user);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn by_whatever_chance_no_two_users_have_one_network() {
    let sim = SimHost::start(SimOptions::fresh()).await.unwrap();
    let address = sim.address().to_string();
    let house = House::on_mongodb(CAPACITY).await.unwrap().with_engine(&sim.url(), &address).unwrap();
    let admin = house.start_admin().await.unwrap();
    let app = Arc::new(house.start_app().await.unwrap());
    let operator = admin.operator().await.unwrap();
    let host = house.add_host(&operator, CAPACITY).await.unwrap();
    house.until(&operator, &format!("{CAPACITY} free")).await;

    let seed: u64 = rand::random();
    say(&format!("seed {seed}"));
    let users: Vec<String> = ('a'..='z').map(String::from).collect();
    let given = Given::default();
    let mut clerks = JoinSet::new();
    for n in 0..CLERKS {
        let mut clerk = Clerk {
            app: app.clone(),
            users: users.iter().skip(n).step_by(CLERKS).cloned().collect(),
            given: given.clone(),
            has: BTreeMap::new(),
            chance: StdRng::seed_from_u64(seed.wrapping_add(n as u64)),
        };
        clerks.spawn(async move {
            let mut calls = 0;
            while calls < CALLS / CLERKS || clerk.given.lock().unwrap_or_else(PoisonError::into_inner).len() < LEASES {
                clerk.call().await;
                calls += 1;
            }
            (clerk.has, calls)
        });
    }
    let (mut has, mut calls) = (BTreeMap::new(), 0);
    while let Some(clerk) = clerks.join_next().await {
        let (hers, made) = clerk.unwrap();
        has.extend(hers);
        calls += made;
    }
    let distinct: BTreeSet<&String> = has.values().collect();
    assert_eq!(distinct.len(), has.len(), "{has:?}");
    let given = given.lock().unwrap_or_else(PoisonError::into_inner).clone();
    say(&format!("{} leases in {calls} calls, {} held at the end", given.len(), has.len()));

    for user in has.keys() {
        app.get("/v2/cluster_release", &[("user_id", user)]).await.unwrap().is(200);
    }
    let clusters = house.until(&operator, &format!("{CAPACITY} free")).await;
    assert!(clusters.iter().all(|cluster| !given.contains_key(cluster["id"].as_str().unwrap())), "all are new");
    // Every lease that was ever told has its record, with its user.
    let records = operator.items("/api/v1/records?limit=200").await.unwrap_or_default();
    let recorded: BTreeMap<String, String> = records
        .iter()
        .map(|r| (r["cluster_id"].as_str().unwrap().to_owned(), r["user"].as_str().unwrap().to_owned()))
        .collect();
    assert_eq!(recorded, given);
    house.leave(&operator, &host).await.unwrap();
}
