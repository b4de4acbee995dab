//! Who may do what with a token: alice, bob and a service, call by call. Nobody sees, releases, stops or lists what is
//! another's.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use common::clock;
use common::config::Auth;
use common::model::{Cluster, Revoked, Token, TokenId, TokenKind, TokenText, UserId};
use common::store::{Page, TokenFilter};
use serde_json::{Value, json};

use super::house::{Answer, DAEMON_URL, House, NOOPS, PBFT, event, wait_until};

const CALLERS: [&str; 3] = ["alice", "bob", "service"];

/// A house where alice and bob hold one each, two are free, and one of each of theirs is being given back.
struct Scene {
    house: House,
    token: String,
    clusters: BTreeMap<&'static str, Cluster>,
}

impl Scene {
    /// As this caller sees it.
    async fn of(caller: &str) -> Scene {
        let house = House::with_tokens(None).await;
        let mut clusters = BTreeMap::new();
        for (user, held, gone) in [("alice", "ALICES", "ALICES_GONE"), ("bob", "BOBS", "BOBS_GONE")] {
            let released = house.leased(user, PBFT).await;
            house.store.move_cluster(&released, &released.release(user, clock::now()).unwrap(), None).await.unwrap();
            clusters.insert(gone, released);
            clusters.insert(held, house.leased(user, PBFT).await);
        }
        clusters.insert("BEGUN", house.creating(PBFT).await);
        clusters.insert("FREE", house.free(PBFT).await);
        clusters.insert("NOOPS", house.free(NOOPS).await);
        let token = match caller {
            "service" => house.token(TokenKind::Service).await,
            user => house.token_of(user).await,
        };
        Scene { house, token, clusters }
    }

    fn put_in(&self, path: &str) -> String {
        // Longest first: ALICES is the beginning of ALICES_GONE.
        self.clusters
            .iter()
            .rev()
            .fold(path.to_owned(), |path, (name, cluster)| path.replace(name, cluster.id.as_str()))
    }

    async fn call(&self, method: &str, path: &str) -> Answer {
        self.house.send(self.house.request(method, &self.put_in(path)).bearer_auth(&self.token)).await
    }

    /// The clusters whose state is not what it was.
    async fn changed(&self) -> String {
        let mut changed = Vec::new();
        for (name, before) in &self.clusters {
            let now = self.house.cluster(before.id.as_str()).await.unwrap();
            let released = now.phase.kind().as_str() == "releasing" && !name.ends_with("GONE");
            if released || now.wishes != before.wishes {
                changed.push(format!("{name} {}", if released { "released" } else { "wished" }));
            }
        }
        changed.join(", ")
    }

    /// What an answer says in a word or two.
    fn word(&self, answer: &Answer) -> String {
        let body = answer.json();
        if answer.status != 200 {
            assert_eq!(body["status"], "FAIL", "{answer:?}");
            return format!("{} {}", body["code"], body["error"].as_str().unwrap());
        }
        let data = body.get("data").unwrap_or(&body);
        let name_of = |shown: &Value| {
            let known = self.clusters.iter().find(|(_, cluster)| shown["id"] == cluster.id.as_str());
            known.map_or("another", |(name, _)| *name)
        };
        match data {
            Value::Array(all) => {
                let mut names: Vec<&str> = all.iter().map(name_of).collect();
                names.sort_unstable();
                format!("[{}]", names.join(" "))
            }
            Value::Object(one) if one.contains_key("id") => name_of(data).to_owned(),
            _ => "ok".to_owned(),
        }
    }
}

/// Each call, then for alice, bob and the service: what is answered, and what it changed.
const ALICES_ONLY: &str = "403 this token is for user_id alice only";
const BOBS_ONLY: &str = "403 this token is for user_id bob only";
const NOBODYS_NAME: &str = "400 cluster_apply without user_id";

type Row = (&'static str, [(&'static str, &'static str); 3]);

fn rows() -> Vec<Row> {
    vec![
        // Applying: for oneself, named or not, and for nobody else.
        ("/v1/cluster_apply", [("ALICES", ""), ("BOBS", ""), ("400 No user_id is given", "")]),
        ("/v1/cluster_apply?user_id=alice", [("ALICES", ""), (BOBS_ONLY, ""), ("ALICES", "")]),
        ("/v1/cluster_apply?user_id=bob", [(ALICES_ONLY, ""), ("BOBS", ""), ("BOBS", "")]),
        ("/v2/cluster_apply", [("ALICES", ""), ("BOBS", ""), (NOBODYS_NAME, "")]),
        ("/v2/cluster_apply?user_id=bob", [(ALICES_ONLY, ""), ("BOBS", ""), ("BOBS", "")]),
        ("/v2/cluster_op?action=apply", [("ALICES", ""), ("BOBS", ""), (NOBODYS_NAME, "")]),
        ("/v2/cluster_op?action=apply&user_id=alice", [("ALICES", ""), (BOBS_ONLY, ""), ("ALICES", "")]),
        // Looking: what is free, and one's own.
        ("/v2/cluster/ALICES", [("ALICES", ""), ("404 cluster not found with id=ALICES", ""), ("ALICES", "")]),
        ("/v2/cluster/BOBS", [("404 cluster not found with id=BOBS", ""), ("BOBS", ""), ("BOBS", "")]),
        ("/v2/cluster/FREE", [("FREE", ""), ("FREE", ""), ("FREE", "")]),
        (
            "/v2/cluster/ALICES_GONE",
            [("ALICES_GONE", ""), ("404 cluster not found with id=ALICES_GONE", ""), ("ALICES_GONE", "")],
        ),
        (
            "/v2/cluster/BEGUN",
            [("404 cluster not found with id=BEGUN", ""), ("404 cluster not found with id=BEGUN", ""), ("BEGUN", "")],
        ),
        (
            "/v2/clusters",
            [
                ("[ALICES FREE NOOPS]", ""),
                ("[BOBS FREE NOOPS]", ""),
                ("[ALICES ALICES_GONE BEGUN BOBS BOBS_GONE FREE NOOPS]", ""),
            ],
        ),
        ("/v2/clusters?user_id=", [("[FREE NOOPS]", ""), ("[FREE NOOPS]", ""), ("[FREE NOOPS]", "")]),
        ("/v2/clusters?user_id=alice", [("[ALICES]", ""), (BOBS_ONLY, ""), ("[ALICES]", "")]),
        ("/v2/clusters?user_id=bob", [(ALICES_ONLY, ""), ("[BOBS]", ""), ("[BOBS]", "")]),
        ("/v2/clusters?user_id=__SYSTEM__CREATING", [("[]", ""), ("[]", ""), ("[BEGUN]", "")]),
        ("/v2/clusters?user_id=__SYSTEM__DELETINGalice", [("[ALICES_GONE]", ""), ("[]", ""), ("[ALICES_GONE]", "")]),
        (
            "/v2/clusters?status=running&size=4&consensus_plugin=pbft",
            [("[ALICES FREE]", ""), ("[BOBS FREE]", ""), ("[ALICES ALICES_GONE BEGUN BOBS BOBS_GONE FREE]", "")],
        ),
        // Releasing: another's is as if it did not exist, which is OK and changes nothing.
        ("/v1/cluster_release?cluster_id=ALICES", [("ok", "ALICES released"), ("ok", ""), ("ok", "ALICES released")]),
        ("/v1/cluster_release", [("ok", "ALICES released"), ("ok", "BOBS released"), ("400 No user_id is given", "")]),
        ("/v1/cluster_release?user_id=alice", [("ok", "ALICES released"), (BOBS_ONLY, ""), ("ok", "ALICES released")]),
        ("/v2/cluster_release?cluster_id=BOBS", [("ok", ""), ("ok", "BOBS released"), ("ok", "BOBS released")]),
        (
            "/v2/cluster_release?cluster_id=BOBS&user_id=alice",
            [("ok", ""), ("ok", "BOBS released"), ("ok", "BOBS released")],
        ),
        (
            "/v2/cluster_release",
            [("ok", "ALICES released"), ("ok", "BOBS released"), ("400 cluster_release without id", "")],
        ),
        ("/v2/cluster_release?cluster_id=", [("400 cluster_release without id", ""); 3]),
        (
            "/v2/cluster_op?action=release&user_id=bob",
            [(ALICES_ONLY, ""), ("ok", "BOBS released"), ("ok", "BOBS released")],
        ),
        ("/v2/cluster_op?action=release&cluster_id=FREE", [("ok", ""); 3]),
        ("/v2/cluster_op?action=release&cluster_id=", [("400 No cluster_id is given", ""); 3]),
        // Starting and stopping. Nobody carries it out here, so even one's own comes to an end without being done.
        (
            "/v2/cluster_op?action=stop&cluster_id=ALICES",
            [
                ("400 cluster stop failed", "ALICES wished"),
                ("400 cluster stop failed", ""),
                ("400 cluster stop failed", "ALICES wished"),
            ],
        ),
        (
            "/v2/cluster_op?action=restart&cluster_id=BOBS&node_id=vp0",
            [
                ("400 cluster restart failed", ""),
                ("400 cluster restart failed", "BOBS wished"),
                ("400 cluster restart failed", "BOBS wished"),
            ],
        ),
        ("/v2/cluster_op?action=stop&cluster_id=FREE", [("400 cluster stop failed", ""); 3]),
        ("/v2/cluster_op?action=nonsense", [("400 Unknown action type", ""); 3]),
    ]
}

/// A scene for each caller; a new one after a call that changed something.
async fn check(scenes: &mut BTreeMap<&'static str, Scene>, method: &str, (path, expected): Row) {
    for (caller, (says, changes)) in CALLERS.into_iter().zip(expected) {
        let scene = match scenes.remove(caller) {
            Some(scene) => scene,
            None => Scene::of(caller).await,
        };
        let answer = scene.call(method, path).await;
        let at = format!("{method} {path} by {caller}");
        let says = if says.starts_with("404") { scene.put_in(says) } else { says.to_owned() };
        assert_eq!(scene.word(&answer), says, "{at}: {answer:?}");
        assert_eq!(scene.changed().await, changes, "{at}");
        let shows_daemon = answer.text.contains(DAEMON_URL);
        assert!(!shows_daemon || caller == "service", "{at}: where Docker is was told: {}", answer.text);
        if changes.is_empty() {
            scenes.insert(caller, scene);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_sees_or_changes_what_is_anothers() {
    let mut scenes = BTreeMap::new();
    for row in rows() {
        check(&mut scenes, "GET", row).await;
        if row.0.starts_with("/v2/") && !row.0.starts_with("/v2/cluster/") {
            check(&mut scenes, "POST", row).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_in_a_body_name_nobody_else_either() {
    let scene = Scene::of("alice").await;
    let bobs = scene.clusters["BOBS"].id.as_str();
    let house = &scene.house;
    for (body, code) in [
        (json!({"action": "apply", "user_id": "bob"}), 403),
        (json!({"action": "release", "user_id": "bob"}), 403),
        (json!({"action": "stop", "cluster_id": bobs}), 400),
    ] {
        let by_json = house.request("POST", "/v2/cluster_op").json(&body).bearer_auth(&scene.token);
        let by_form = house.request("POST", "/v2/cluster_op").form(&body).bearer_auth(&scene.token);
        for request in [by_json, by_form] {
            let answer = house.send(request).await;
            assert_eq!((answer.status, &answer.json()["code"]), (400, &code.into()), "{answer:?}");
        }
    }
    assert_eq!(scene.changed().await, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_good_token_nothing_is_told_whatever_is_asked() {
    let house = House::with_tokens(None).await;
    let held = house.leased("alice", PBFT).await;
    let expired = token(&house, |token| token.expires_at = Some(clock::now())).await;
    let revoked = token(&house, |token| token.revoked = Some(revoked())).await;
    let unknown = TokenText::random().expose().to_owned();
    let paths = [
        "/v1/cluster_apply?user_id=alice".to_owned(),
        "/v1/cluster_release?user_id=alice".into(),
        "/v2/cluster_op?action=apply&user_id=alice".into(),
        format!("/v2/cluster_op?action=stop&cluster_id={}", held.id),
        "/v2/cluster_apply?user_id=alice".into(),
        format!("/v2/cluster_release?cluster_id={}", held.id),
        "/v2/clusters".into(),
        format!("/v2/cluster/{}", held.id),
        "/v2/nothing".into(),
    ];
    for path in &paths {
        for (header, says) in [
            (None, "a token is needed"),
            (Some("Basic YWxpY2U6eA==".to_owned()), "a token is needed"),
            (Some("Bearer".into()), "no such token"),
            (Some("Bearer nonsense".into()), "no such token"),
            (Some(format!("Bearer {unknown}")), "no such token"),
            (Some(format!("Bearer {expired}")), "expired"),
            (Some(format!("Bearer {revoked}")), "revoked"),
        ] {
            let request = house.request("GET", path);
            let answer = house.send(header.iter().fold(request, |r, value| r.header("authorization", value))).await;
            let body = answer.json();
            assert_eq!((answer.status, &body["status"], &body["code"]), (401, &"FAIL".into(), &401.into()), "{path}");
            assert!(body["error"].as_str().unwrap().contains(says), "{path}: {answer:?}");
            assert!(answer.headers["www-authenticate"].to_str().unwrap().starts_with("Bearer"));
            assert!(!answer.text.contains("host_1"), "{answer:?}");
        }
    }
    assert_eq!(house.cluster(held.id.as_str()).await, Some(held));
    // What machines watch is open to them.
    house.get("/healthz").await;
    assert_eq!(house.get("/readyz").await.status, 200);
}

async fn token(house: &House, change: impl FnOnce(&mut Token)) -> String {
    let text = TokenText::random();
    let mut token = Token {
        id: TokenId::random(),
        kind: TokenKind::User { user: UserId::parse("alice").unwrap() },
        name: String::new(),
        hash: text.hash(),
        leases_max: None,
        created_at: clock::now(),
        created_by: "ada".into(),
        expires_at: None,
        revoked: None,
        used_at: None,
    };
    change(&mut token);
    house.store.insert_token(&token, event(common::model::EventKind::Access)).await.unwrap();
    text.expose().to_owned()
}

fn revoked() -> Revoked {
    Revoked { at: clock::now(), by: "ada".into() }
}

#[tokio::test(flavor = "multi_thread")]
async fn old_clients_put_the_token_into_the_query_and_never_get_it_back() {
    let house = House::with_tokens(None).await;
    let token = house.token_of("alice").await;
    let none = house.get(&format!("/v2/cluster_apply?user_id=alice&access_token={token}")).await;
    assert_eq!(none.fail(400, "No available res for alice"), json!({"user_id": "alice"}));
    let form = [("user_id", "alice"), ("access_token", token.as_str())];
    let answer = house.send(house.request("POST", "/v2/cluster_apply").form(&form).bearer_auth(&token)).await;
    assert!(!answer.text.contains(&token), "{answer:?}");
    // Not in a body alone: that would be read before it is known whose it is.
    assert_eq!(house.form("/v2/cluster_apply", &form).await.status, 401);
    let free = house.free(PBFT).await;
    let given = house.get(&format!("/v1/cluster_apply?access_token={token}")).await.json();
    assert_eq!(
        (&given["id"], &given["user_id"], &given["daemon_url"]),
        (&free.id.as_str().into(), &"alice".into(), &"".into())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_token_is_gone_within_three_seconds_though_it_is_in_use() {
    let house = House::with_tokens(None).await;
    let token = house.token_of("alice").await;
    let path = format!("/v2/clusters?access_token={token}");
    house.get(&path).await.ok();
    let kept = house.store.list_tokens(&TokenFilter::default(), &Page::first(1)).await.unwrap().remove(0);
    house.store.revoke_token(&kept.id, &revoked(), event(common::model::EventKind::Access)).await.unwrap();
    let since = Instant::now();
    wait_until("the token is refused", || async { house.get(&path).await.status == 401 }).await;
    assert!(since.elapsed() < Duration::from_secs(3), "{:?}", since.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_service_releases_says_so() {
    let scene = Scene::of("service").await;
    scene.call("GET", "/v2/cluster_release?cluster_id=ALICES").await.ok();
    let events = scene.house.store.list_events(&Default::default(), &Page::first(1)).await.unwrap();
    assert_eq!(events[0].reason, "released for alice by the service test");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_holds_more_than_the_limit_however_she_asks() {
    for auth in [Auth::Open, Auth::Tokens] {
        let house = House::guarded(auth, Some(3)).await;
        for _ in 0..12 {
            house.free(PBFT).await;
        }
        let token = house.token_of("alice").await;
        let paths = ["/v1/cluster_apply?user_id=alice&new=1", "/v2/cluster_apply?user_id=alice&allow_multiple=true"];
        let all = (0..24).map(|n| house.send(house.request("GET", paths[n % 2]).bearer_auth(&token)));
        let answers = futures_util::future::join_all(all).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 3, "{auth:?}");
        for answer in answers.iter().filter(|answer| answer.status != 200) {
            answer.fail(429, "alice holds 3 of at most 3: release one first");
        }
        // Who asks for what she holds has it, and whoever gives one back may have another.
        let same = async |path: &str| house.send(house.request("GET", path).bearer_auth(&token)).await;
        let held = same("/v2/cluster_apply?user_id=alice").await.ok();
        same(&format!("/v2/cluster_release?cluster_id={}", held["id"].as_str().unwrap())).await.ok();
        same("/v2/cluster_apply?user_id=alice&allow_multiple=true").await.ok();
        assert_eq!(same("/v2/cluster_apply?user_id=alice&allow_multiple=true").await.json()["code"], 429);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_may_have_a_limit_of_its_own_and_a_service_one_for_each_of_its_users() {
    let house = House::with_tokens(Some(2)).await;
    for _ in 0..8 {
        house.free(PBFT).await;
    }
    let more = token(&house, |token| token.leases_max = Some(3)).await;
    let service = house.token(TokenKind::Service).await;
    let codes = async |token: &str, user: &str| {
        let path = format!("/v2/cluster_apply?allow_multiple=true&user_id={user}&access_token={token}");
        let mut codes = Vec::new();
        for _ in 0..4 {
            codes.push(house.get(&path).await.json()["code"].as_u64().unwrap());
        }
        codes
    };
    assert_eq!(codes(&more, "alice").await, [200, 200, 200, 429]);
    assert_eq!(codes(&service, "bob").await, [200, 200, 429, 429]);
    assert_eq!(codes(&service, "eve").await, [200, 200, 429, 429]);
}
