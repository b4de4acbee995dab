//! v2's apply, both ways to call it.

use common::model::UserId;
use serde_json::{Value, json};

use super::house::{Answer, DAEMON_URL, House, NOOPS, PBFT, PBFT_6};

/// The same apply by each way that old clients have.
async fn every_way(house: &House, pairs: &[(&str, &str)]) -> Vec<Answer> {
    let query: String = pairs.iter().map(|(name, value)| format!("&{name}={value}")).collect();
    let with_action: Vec<_> = pairs.iter().copied().chain([("action", "apply")]).collect();
    let object: Value = with_action
        .iter()
        .map(|(name, value)| ((*name).to_owned(), json!(value)))
        .collect::<serde_json::Map<_, _>>()
        .into();
    vec![
        house.get(&format!("/v2/cluster_op?action=apply{query}")).await,
        house.form("/v2/cluster_op", &with_action).await,
        house.post("/v2/cluster_op", &object).await,
        house.get(&format!("/v2/cluster_apply?{query}")).await,
        house.form("/v2/cluster_apply", pairs).await,
        house.post("/v2/cluster_apply", &object).await,
        house.send(house.request("POST", &format!("/v2/cluster_op?action=apply{query}"))).await,
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn every_way_to_apply_gives_the_same_cluster_with_every_field_of_old() {
    let house = House::open().await;
    let free = house.free(PBFT).await;
    for answer in every_way(&house, &[("user_id", "alice"), ("consensus_plugin", "pbft")]).await {
        let mut cluster = answer.ok();
        let fields: Vec<_> = cluster.as_object().unwrap().keys().cloned().collect();
        assert_eq!(
            fields,
            [
                "id",
                "name",
                "user_id",
                "host_id",
                "consensus_plugin",
                "consensus_mode",
                "daemon_url",
                "create_ts",
                "apply_ts",
                "release_ts",
                "duration",
                "containers",
                "size",
                "status",
                "health",
                "mapped_ports",
                "service_url",
                "api_url"
            ]
        );
        for time in ["create_ts", "apply_ts"] {
            let text = cluster[time].take();
            assert!(httpdate::parse_http_date(text.as_str().unwrap()).is_ok(), "{text}");
        }
        let container = format!("{:0>64}", 3);
        assert_eq!(
            cluster,
            json!({
                "id": free.id.as_str(), "name": "host_1_0", "user_id": "alice", "host_id": house.host.as_str(),
                "consensus_plugin": "pbft", "consensus_mode": "batch", "daemon_url": DAEMON_URL,
                "create_ts": null, "apply_ts": null, "release_ts": "", "duration": "",
                "containers": {"vp0": container, "vp1": container, "vp2": container, "vp3": container},
                "size": 4, "status": "running", "health": "OK",
                "mapped_ports": {"grpc": 7051, "rest": 7050},
                "service_url": {"grpc": "10.20.30.40:7051", "rest": "10.20.30.40:7050"},
                "api_url": "http://10.20.30.40:7050",
            })
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_has_the_text_of_old_whichever_way_it_is_called() {
    let house = House::open().await;
    house.free(PBFT).await;
    let user = ("user_id", "u");
    for (pairs, error) in [
        (&[][..], "cluster_apply without user_id"),
        (&[("user_id", "")], "cluster_apply without user_id"),
        (&[user, ("consensus_plugin", "raft")], "Invalid consensus_plugin"),
        (&[user, ("consensus_plugin", "pbft"), ("consensus_mode", "sieve")], "Invalid consensus_mode"),
        (&[user, ("size", "5")], "Invalid cluster_size"),
        (&[user, ("size", "x")], "Invalid cluster_size"),
        (&[user, ("allow_multiple", "maybe")], "Invalid allow_multiple"),
        (&[user, ("consensus_plugin", "noops")], "No available res for u"),
        (&[user, ("size", "6")], "No available res for u"),
        (&[("user_id", "__SYSTEM__X")], "user_id may not begin with __SYSTEM__"),
    ] {
        for answer in every_way(&house, pairs).await {
            answer.fail(400, error);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mode_is_passed_over_where_the_plugin_has_none() {
    let house = House::open().await;
    let noops = house.free(NOOPS).await;
    let given = house.get("/v2/cluster_apply?user_id=u&consensus_plugin=noops&consensus_mode=batch").await.ok();
    assert_eq!((&given["id"], &given["consensus_mode"]), (&noops.id.as_str().into(), &"".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_size_chooses() {
    let house = House::open().await;
    house.free(PBFT).await;
    house.free(PBFT_6).await;
    for size in [4, 6] {
        let given = house.post("/v2/cluster_apply", &json!({"user_id": format!("u{size}"), "size": size})).await.ok();
        assert_eq!(given["size"], size);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_user_who_applies_32_times_at_once_gets_one_cluster() {
    let house = House::open().await;
    for _ in 0..40 {
        house.free(PBFT).await;
    }
    let answers =
        futures_util::future::join_all((0..32).map(|_| house.get("/v2/cluster_apply?user_id=alice&size=4"))).await;
    let ids: std::collections::BTreeSet<_> = answers.iter().map(|answer| answer.ok()["id"].to_string()).collect();
    assert_eq!(ids.len(), 1);
    let held = house.get("/v2/clusters?user_id=alice").await.ok();
    assert_eq!(held.as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn with_allow_multiple_she_gets_32() {
    let house = House::open().await;
    for _ in 0..40 {
        house.free(PBFT).await;
    }
    let answers = futures_util::future::join_all(
        (0..32).map(|_| house.get("/v2/cluster_apply?user_id=alice&allow_multiple=true")),
    )
    .await;
    let ids: std::collections::BTreeSet<_> = answers.iter().map(|answer| answer.ok()["id"].to_string()).collect();
    assert_eq!(ids.len(), 32);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_users_never_get_one_cluster() {
    let house = House::open().await;
    for _ in 0..20 {
        house.free(PBFT).await;
    }
    let paths: Vec<_> = (0..30).map(|n| format!("/v2/cluster_apply?user_id=user{n}")).collect();
    let answers = futures_util::future::join_all(paths.iter().map(|path| house.get(path))).await;
    let given: Vec<_> = answers.iter().filter(|a| a.status == 200).map(|a| a.ok()["id"].to_string()).collect();
    let distinct: std::collections::BTreeSet<_> = given.iter().collect();
    assert_eq!((given.len(), distinct.len()), (20, 20));
    assert!(answers.iter().filter(|a| a.status != 200).all(|a| a.status == 400));
}

#[tokio::test(flavor = "multi_thread")]
async fn release_then_apply_gives_another_cluster_at_once() {
    let house = House::open().await;
    let first = house.leased("alice", PBFT).await;
    let second = house.free(PBFT).await;
    house.get("/v2/cluster_release?user_id=alice").await.ok();
    let given = house.get("/v2/cluster_apply?user_id=alice").await.ok();
    assert_eq!(given["id"], second.id.as_str());
    assert_ne!(given["id"], first.id.as_str());
}

#[tokio::test(flavor = "multi_thread")]
async fn user_ids_of_any_language_come_back_as_they_went() {
    let house = House::open().await;
    for user in ["用户 一", "a@b.c/d", "<script>", "x\"y\\z"] {
        house.free(PBFT).await;
        assert!(UserId::parse(user).is_ok());
        let given = house.post("/v2/cluster_apply", &json!({ "user_id": user })).await.ok();
        assert_eq!(given["user_id"], user);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_gives_the_same_cluster_whoever_repeats_the_call() {
    let house = House::open().await;
    for _ in 0..8 {
        house.free(PBFT).await;
    }
    let paths = [
        "/v1/cluster_apply?new=1&user_id=",
        "/v2/cluster_apply?allow_multiple=true&user_id=",
        "/v2/cluster_op?action=apply&allow_multiple=true&user_id=",
    ];
    let ask = async |path: &str, user: &str, key: &str| {
        house.send(house.request("GET", &format!("{path}{user}")).header("Idempotency-Key", key)).await
    };
    let id = |answer: &Answer| {
        assert_eq!(answer.status, 200, "{answer:?}");
        let body = answer.json();
        body.get("data").unwrap_or(&body)["id"].as_str().unwrap().to_owned()
    };
    let first = id(&ask(paths[0], "alice", "k-1").await);
    for path in paths {
        assert_eq!(id(&ask(path, "alice", "k-1").await), first, "{path}");
    }
    let at_once = futures_util::future::join_all((0..8).map(|n| ask(paths[n % 3], "alice", "k-2"))).await;
    let second: std::collections::BTreeSet<String> = at_once.iter().map(id).collect();
    assert!(second.len() == 1 && !second.contains(&first), "another key is another apply: {second:?}");
    assert_ne!(id(&ask(paths[1], "bob", "k-1").await), first, "keys are each user's own");

    house.get(&format!("/v2/cluster_release?cluster_id={first}")).await.ok();
    for path in paths {
        let released = "alice has released what this Idempotency-Key gave: use another key";
        ask(path, "alice", "k-1").await.fail(409, released);
        let wrong = "Idempotency-Key must be 1 to 128 visible ASCII characters";
        ask(path, "alice", "two words").await.fail(400, wrong);
        ask(path, "alice", &"k".repeat(129)).await.fail(400, wrong);
    }
    let kept = house.get("/v2/cluster_apply?user_id=bob").await.ok();
    let same = ask("/v2/cluster_apply?user_id=", "bob", "k-9").await.ok();
    assert_eq!(kept["id"], same["id"], "without allow_multiple she gets what she holds, key or not");
}
