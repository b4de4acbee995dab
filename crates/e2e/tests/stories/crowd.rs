//! A crowd at two doors: nobody gets two, and none gets another's.

use std::collections::BTreeSet;
use std::sync::Arc;

use e2e::house::{App, House};
use serde_json::Value;
use tokio::task::JoinSet;

/// All at once, in turn at one app and the other.
async fn applies(apps: &[Arc<App>; 2], users: impl Iterator<Item = String>) -> Vec<(String, Result<Value, String>)> {
    let mut calls = JoinSet::new();
    for (n, user) in users.enumerate() {
        let app = apps[n % 2].clone();
        calls.spawn(async move {
            let answer = app.apply(&user).await.unwrap();
            (user, answer)
        });
    }
    calls.join_all().await
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_crowd_each_gets_one_of_her_own_or_is_told_that_none_is_free() {
    let house = House::on_mongodb(3).await.unwrap();
    let admin = house.start_admin().await.unwrap();
    let apps = [Arc::new(house.start_app().await.unwrap()), Arc::new(house.start_app().await.unwrap())];
    let operator = admin.operator().await.unwrap();
    let host = house.add_host(&operator, 3).await.unwrap();
    house.until(&operator, "3 free").await;

    // One user at many doors at once gets one.
    let given = applies(&apps, std::iter::repeat_n("alice".to_owned(), 16)).await;
    let ids: BTreeSet<&str> =
        given.iter().map(|(_, answer)| answer.as_ref().unwrap()["id"].as_str().unwrap()).collect();
    assert_eq!((given.len(), ids.len()), (16, 1), "{ids:?}");
    house.until(&operator, "2 free, 1 in_use").await;
    let alices = ids.into_iter().next().unwrap();
    apps[1].release(alices).await.unwrap();
    house.until(&operator, "3 free").await;

    // Forty users for three networks.
    let given = applies(&apps, (0..40).map(|n| format!("user-{n}"))).await;
    let leases: Vec<_> = given.iter().filter_map(|(user, answer)| Some((user, answer.as_ref().ok()?))).collect();
    let ids: BTreeSet<&str> = leases.iter().map(|(_, lease)| lease["id"].as_str().unwrap()).collect();
    assert_eq!((leases.len(), ids.len()), (3, 3), "{leases:?}");
    assert!(!ids.contains(alices), "what was released is not given again");
    for (user, answer) in &given {
        match answer {
            Ok(lease) => assert_eq!(lease["user_id"], **user),
            Err(words) => assert_eq!(*words, format!("No available res for {user}")),
        }
    }
    let clusters = house.until(&operator, "3 in_use").await;
    for (user, lease) in &leases {
        let recorded = clusters.iter().find(|cluster| cluster["id"] == lease["id"]).unwrap();
        assert_eq!(recorded["lease"]["user"], **user);
    }
    for (user, _) in leases {
        apps[0].act("release", &[("user_id", user)]).await.unwrap();
    }
    house.leave(&operator, &host).await.unwrap();
}
