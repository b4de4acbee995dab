//! Adding hosts, by page and by JSON, against the simulated engine.

use serde_json::{Value, json};
use simdocker::{SimHost, SimOptions, SimSwarm};

use crate::host_form::fields;
use crate::support::House;

fn input(name: &str, sim: &SimHost) -> Value {
    json!({"name": name, "daemon_url": sim.url(), "address": sim.address().to_string(), "capacity": 3})
}

#[tokio::test]
async fn a_host_is_added_by_json_with_all_its_settings() {
    let house = House::new().await;
    let sim = SimHost::start(SimOptions::fresh()).await.unwrap();
    let mut browser = house.browser_of("otto").await;
    let mut body = input("h1", &sim);
    for (name, value) in [
        ("bind_address", json!("127.0.0.1")),
        ("log_level", json!("debug")),
        ("log_type", json!("syslog")),
        ("log_server", json!("udp://10.0.0.2:514")),
        ("schedulable", json!(false)),
        ("autofill", json!(false)),
        ("chaincode_endpoint", json!("unix:///var/run/docker.sock")),
    ] {
        body[name] = value;
    }
    let answer = browser.json("POST", "/api/v1/hosts", body.clone()).await;
    let host = answer.is(201).json();
    for (name, value) in body.as_object().unwrap() {
        assert_eq!(&host[name], value, "{name}");
    }
    assert_eq!((&host["state"], &host["kind"]), (&json!("active"), &json!("single")));
    let again = browser.get(answer.location()).await;
    assert_eq!(again.is(200).json(), host);
    let listed = browser.get("/api/v1/hosts").await.json();
    assert_eq!(listed["items"][0]["id"], host["id"]);
    browser.get("/events").await.has("host h1 was added").has("operator otto");
    sim.shutdown().await;
    house.end().await;
}

#[tokio::test]
async fn a_host_is_added_by_page_and_the_message_is_shown_once() {
    let house = House::new().await;
    let sim = SimHost::start(SimOptions::fresh()).await.unwrap();
    let mut browser = house.browser_of("otto").await;
    let (url, address) = (sim.url(), sim.address().to_string());
    let answer = browser.post("/hosts/new", &fields(&[("daemon_url", &url), ("address", &address)])).await;
    let page = browser.follow(&answer).await;
    page.is(200).has("Host h1 was added.").has(&url).has("<dt>Schedulable</dt><dd>yes</dd>");
    let again = browser.get(answer.location()).await;
    assert!(!again.text.contains("was added.</p>"), "the message is gone");
    // The same form sent again, as by a double click, makes no second host.
    let twice = browser.post("/hosts/new", &fields(&[("daemon_url", &url), ("address", &address)])).await;
    browser.follow(&twice).await.has("Host h1 was added already.");
    let other = browser.post("/hosts/new", &fields(&[("daemon_url", "tcp://127.0.0.1:1")])).await;
    other.is(422).has("there is a host h1 already");
    assert_eq!(house.store.list_hosts().await.unwrap().len(), 1);
    sim.shutdown().await;
    house.end().await;
}

#[tokio::test]
async fn two_adds_at_the_same_moment_make_one_host() {
    let house = House::new().await;
    let sim = SimHost::start(SimOptions::fresh()).await.unwrap();
    let (mut a, mut b) = (house.browser_of("otto").await, house.browser_of("ada").await);
    let (first, second) = tokio::join!(
        a.json("POST", "/api/v1/hosts", input("h1", &sim)),
        b.json("POST", "/api/v1/hosts", input("h2", &sim))
    );
    let mut statuses = [first.status, second.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 422], "{} {}", first.text, second.text);
    assert_eq!(house.store.list_hosts().await.unwrap().len(), 1);
    sim.shutdown().await;
    house.end().await;
}

#[tokio::test]
async fn every_wrong_field_is_refused_by_name_in_page_and_json_and_nothing_is_left() {
    let house = House::new().await;
    let mut browser = house.browser_of("otto").await;
    let cases = [
        ("name", "", "must not be empty"),
        ("name", "a b", "letters, digits"),
        ("name", "seventeen-letters", "at most 16"),
        ("daemon_url", "", "tcp://HOST:2375"),
        ("daemon_url", "http://h:1", "not spoken here"),
        ("daemon_url", "tcp://h", "needs a port"),
        ("daemon_url", "unix://relative", "absolute path"),
        ("daemon_url", "tcp://127.0.0.1:1", "connection refused"),
        ("daemon_url", "unix:///no/such/docker.sock", "no such file"),
        ("address", "h:80", "without a port"),
        ("bind_address", "eth0", "IP address"),
        ("log_level", "loud", "must be one of"),
        ("log_type", "journal", "local or syslog"),
        ("chaincode_endpoint", "docker", "or empty"),
    ];
    for (field, value, words) in cases {
        let mut given = vec![(field, value)];
        if value.starts_with("unix:///") {
            given.push(("address", "10.9.8.7"));
        }
        let page = browser.post("/hosts/new", &fields(&given)).await;
        page.is(422).has(words).has(&format!("id=\"{field}-error\"")).has("The host was not added.");
        if field != "log_level" && field != "log_type" && !value.is_empty() {
            page.has(&format!("value=\"{value}\""));
        }
        let mut body = json!({"name": "h1", "daemon_url": "tcp://127.0.0.1:1", "capacity": 3});
        for (name, value) in given {
            body[name] = json!(value);
        }
        let answer = browser.json("POST", "/api/v1/hosts", body).await;
        answer.is(422).has(words);
        assert_eq!(answer.json()["field"], field);
    }
    for capacity in ["-1", "x", "258", "1001", "99999999999999999999", ""] {
        let page = browser.post("/hosts/new", &fields(&[("capacity", capacity)])).await;
        page.is(422).has("id=\"capacity-error\"");
    }
    for capacity in [json!(-1), json!("3"), json!(258), json!(1.5), json!(true), json!([])] {
        let answer = browser.json(
            "POST",
            "/api/v1/hosts",
            json!({"name": "h1", "daemon_url": "tcp://127.0.0.1:1", "capacity": capacity}),
        );
        let answer = answer.await;
        assert_eq!(answer.is(422).json()["field"], "capacity", "{}", answer.text);
    }
    let many = json!({"name": 5, "daemon_url": ["x"], "schedulable": "yes", "colour": "red"});
    let answer = browser.json("POST", "/api/v1/hosts", many).await;
    let all: Vec<String> = answer.is(422).faults().into_iter().collect();
    assert_eq!(all, ["colour", "daemon_url", "name", "schedulable"]);
    assert!(house.store.list_hosts().await.unwrap().is_empty(), "nothing half-made is left");
    house.end().await;
}

#[tokio::test]
async fn a_socket_without_an_address_is_refused_before_it_is_asked() {
    let house = House::new().await;
    let mut browser = house.browser_of("otto").await;
    let page = browser.post("/hosts/new", &fields(&[("daemon_url", "unix:///var/run/docker.sock")])).await;
    page.is(422).has("id=\"address-error\"").has("is needed with unix://");
    house.end().await;
}

#[tokio::test]
async fn the_same_engine_twice_is_refused_by_the_name_of_the_other_host() {
    let house = House::new().await;
    let sim = SimHost::start(SimOptions::fresh()).await.unwrap();
    let mut browser = house.browser_of("otto").await;
    browser.json("POST", "/api/v1/hosts", input("h1", &sim)).await.is(201);
    let mut other = input("h2", &sim);
    other["address"] = json!("another.example");
    let answer = browser.json("POST", "/api/v1/hosts", other).await;
    assert_eq!(answer.is(422).json()["field"], "daemon_url");
    answer.has("the engine that is host h1 already");
    let mut third = input("h3", &sim);
    third["daemon_url"] = json!("tcp://127.0.0.1:1");
    let answer = browser.json("POST", "/api/v1/hosts", third).await;
    assert_eq!(answer.is(422).json()["field"], "address", "both would publish the same ports");
    assert_eq!(house.store.list_hosts().await.unwrap().len(), 1);
    sim.shutdown().await;
    house.end().await;
}

#[tokio::test]
async fn a_swarm_is_refused_in_plain_words() {
    let house = House::new().await;
    let sim = SimHost::start(SimOptions { swarm: SimSwarm::Manager, ..SimOptions::fresh() }).await.unwrap();
    let mut browser = house.browser_of("otto").await;
    let answer = browser.json("POST", "/api/v1/hosts", input("h1", &sim)).await;
    assert_eq!(answer.is(422).json()["field"], "daemon_url");
    answer.has("Docker Swarm, which cannot be a host yet");
    sim.shutdown().await;
    house.end().await;
}

#[tokio::test]
async fn ports_that_others_use_lower_the_capacity_that_is_taken() {
    let house = House::new().await;
    let sim = SimHost::start(SimOptions::fresh()).await.unwrap();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let base = sim.url().replace("tcp://", "http://");
    let image = sim.images()[0].clone();
    // Somebody's container in the middle of slot 2.
    let body = json!({
        "Image": image, "ExposedPorts": {"80/tcp": {}},
        "HostConfig": {"PortBindings": {"80/tcp": [{"HostIp": "", "HostPort": "7260"}]}},
    });
    let made = http.post(format!("{base}/containers/create?name=somebodys")).json(&body).send().await.unwrap();
    assert!(made.status().is_success(), "{}", made.text().await.unwrap());
    let started = http.post(format!("{base}/containers/somebodys/start")).send().await.unwrap();
    assert!(started.status().is_success());

    let mut browser = house.browser_of("otto").await;
    let mut body = input("h1", &sim);
    body["capacity"] = json!(257);
    let answer = browser.json("POST", "/api/v1/hosts", body.clone()).await;
    assert_eq!(answer.is(422).json()["field"], "capacity");
    answer.has("may be at most 256").has("somebodys").has("slot 2");
    body["capacity"] = json!(256);
    browser.json("POST", "/api/v1/hosts", body).await.is(201);
    sim.shutdown().await;
    house.end().await;
}

#[tokio::test]
async fn an_engine_that_fails_is_a_refusal_and_leaves_nothing() {
    let house = House::new().await;
    let sim = SimHost::start(SimOptions::fresh()).await.unwrap();
    let mut browser = house.browser_of("otto").await;
    for call in ["/info", "/containers/json", "/networks"] {
        let fault = simdocker::FaultKind::error(500, "the disk is full");
        let id = sim.faults().add(simdocker::FaultRule::next("GET", call, fault).for_ever());
        let answer = browser.json("POST", "/api/v1/hosts", input("h1", &sim)).await;
        assert_eq!(answer.is(422).json()["field"], "daemon_url", "{call}");
        answer.has("the disk is full");
        assert!(house.store.list_hosts().await.unwrap().is_empty());
        sim.faults().remove(id);
    }
    browser.json("POST", "/api/v1/hosts", input("h1", &sim)).await.is(201);
    sim.shutdown().await;
    house.end().await;
}
