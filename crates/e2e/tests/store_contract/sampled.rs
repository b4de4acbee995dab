//! Rules of samples: numbers over time, a minute each, bounded in age and number.

use std::collections::BTreeMap;

use common::model::{ClusterId, HostId, Sample, Subject, Timestamp};
use common::store::{Limits, StoreUser};
use futures_util::future::join_all;

use crate::home::Home;
use crate::made::MINUTE;

fn sample(subject: &Subject, minute: Timestamp, values: &[(&str, u64)]) -> Sample {
    let values: BTreeMap<String, u64> = values.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
    Sample { subject: subject.clone(), minute, values }
}

/// Three minutes before the end of an hour.
fn minute() -> Timestamp {
    Timestamp::from_millis(480_000 * 3_600_000 + 57 * 60_000)
}

pub async fn samples_are_kept_by_subject_and_minute(home: &Home) {
    let (app, admin) = (home.app().await, home.admin().await);
    let (cluster, host) = (Subject::Cluster(ClusterId::random()), Subject::Host(HostId::random()));
    app.put_samples(&[]).await.unwrap();
    let of = |n: u32, values: &[(&str, u64)]| sample(&cluster, minute() + MINUTE * n, values);
    let all = [
        of(0, &[("vp0/cpu", 1), ("vp0/memory", u64::from(u32::MAX) * 16)]),
        of(1, &[("vp0/cpu", 0)]),
        of(4, &[("x", 5)]),
    ];
    admin.put_samples(&all).await.unwrap();
    admin.put_samples(&[sample(&host, minute(), &[("cpu", 7)])]).await.unwrap();
    assert_eq!(app.samples(&cluster, minute()).await.unwrap(), all);
    assert_eq!(app.samples(&cluster, minute() + MINUTE).await.unwrap(), all[1..], "what was not measured is a gap");
    assert_eq!(app.samples(&cluster, minute() + MINUTE * 5).await.unwrap(), []);
    assert_eq!(app.samples(&host, minute()).await.unwrap().len(), 1);
    assert_eq!(app.samples(&Subject::Pool, minute()).await.unwrap(), []);
}

pub async fn a_number_that_is_measured_again_takes_the_place_of_the_first(home: &Home) {
    let store = home.app().await;
    let host = Subject::Host(HostId::random());
    let put = async |values: &[(&str, u64)]| store.put_samples(&[sample(&host, minute(), values)]).await.unwrap();
    put(&[("cpu", 1), ("memory", 2)]).await;
    put(&[("cpu", 3)]).await;
    put(&[("clusters", 4)]).await;
    let whole = sample(&host, minute(), &[("clusters", 4), ("cpu", 3), ("memory", 2)]);
    assert_eq!(store.samples(&host, minute()).await.unwrap(), [whole]);
}

pub async fn many_who_put_samples_of_one_subject_lose_none(home: &Home) {
    let (app, admin) = (home.app().await, home.admin().await);
    let host = Subject::Host(HostId::random());
    join_all((0..12_u32).map(|n| {
        let (store, name) = (if n % 2 == 0 { &app } else { &admin }, format!("s{n}"));
        let one = sample(&host, minute(), &[(name.as_str(), u64::from(n))]);
        async move { store.put_samples(&[one]).await.unwrap() }
    }))
    .await;
    assert_eq!(app.samples(&host, minute()).await.unwrap()[0].values.len(), 12);
}

pub async fn old_samples_go_and_the_pools_stay_longer(home: &Home) {
    let store = home.app().await;
    let host = Subject::Host(HostId::random());
    let day = MINUTE * 60 * 24;
    let put = async |subject: &Subject, at| store.put_samples(&[sample(subject, at, &[("n", 1)])]).await.unwrap();
    put(&host, minute()).await;
    put(&Subject::Pool, minute()).await;
    put(&Subject::Pool, minute() + day + MINUTE * 61).await;
    assert_eq!(store.samples(&host, minute()).await.unwrap(), [], "a day and what was kept with it");
    assert_eq!(store.samples(&Subject::Pool, minute()).await.unwrap().len(), 2);
    put(&Subject::Pool, minute() + day * 7 + MINUTE * 61).await;
    assert_eq!(store.samples(&Subject::Pool, minute()).await.unwrap().len(), 2, "a week of the pool's own");
}

pub async fn an_hour_has_room_for_so_many_subjects(home: &Home) {
    let store = home.open(StoreUser::App, Limits { sampled_subjects: 5, ..Limits::default() }).await;
    let hosts: Vec<Subject> = (0..8).map(|_| Subject::Host(HostId::random())).collect();
    let counted = async |at| {
        let found = join_all(hosts.iter().map(|host| store.samples(host, at))).await;
        found.iter().filter(|samples| !samples.as_ref().unwrap().is_empty()).count()
    };
    let all = |at| hosts.iter().map(|host| sample(host, at, &[("n", 1)])).collect::<Vec<_>>();
    store.put_samples(&all(minute())[..3]).await.unwrap();
    store.put_samples(&all(minute())).await.unwrap();
    assert_eq!(counted(minute()).await, 5);
    // Those that are in go on; the next hour has room again.
    store.put_samples(&all(minute() + MINUTE)).await.unwrap();
    assert_eq!(store.samples(&hosts[0], minute()).await.unwrap().len(), 2);
    store.put_samples(&all(minute() + MINUTE * 3)[3..]).await.unwrap();
    assert_eq!(counted(minute() + MINUTE * 3).await, 5);
}
