//! What bad input gets, at the real programs: a refusal that names the field and the reason, by page and by JSON alike,
//! nothing half-made, and never a 5xx.

use e2e::browser::Browser;
use e2e::house::{Admin, FLAVOR, House, PASSWORD, USERNAME};
use e2e::mongod::free_port;
use e2e::operator::Operator;
use e2e::pool::PATIENCE;
use e2e::wait::wait_until;
use reqwest::Method;
use serde_json::{Value, json};

/// One operator with two tools.
struct Desk<'a> {
    house: &'a House,
    operator: Operator,
    browser: Browser,
}

impl Desk<'_> {
    async fn open<'a>(house: &'a House, admin: &Admin) -> Desk<'a> {
        let browser = Browser::sign_in(&admin.url, USERNAME, PASSWORD).await.unwrap();
        Desk { house, operator: admin.operator().await.unwrap(), browser }
    }

    /// Says this of the host at `path` (by JSON, by page), and must hear `words` about the field.
    async fn refused(&mut self, method: Method, json: &str, page: &str, host: &Value, field: &str, words: &str) {
        let answer = self.operator.call(method, json, Some(host)).await.unwrap();
        answer.is(422).has(words);
        let problem = answer.json();
        assert_eq!(problem["field"], field, "{problem}");
        assert!(answer.header("content-type").starts_with("application/problem+json"), "{:?}", answer.headers);

        let texts: Vec<(String, String)> = host
            .as_object()
            .unwrap()
            .iter()
            .filter(|(_, value)| **value != json!(false))
            .map(|(name, value)| (name.clone(), value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
            .collect();
        let mut fields: Vec<(&str, &str)> = texts.iter().map(|(name, value)| (&**name, &**value)).collect();
        fields.extend([("log_level", "info"), ("log_type", "local")]);
        let answer = self.browser.submit(page, &fields).await.unwrap();
        answer.is(422).has(&format!("id=\"{field}-error\""));
        let plain = answer.text.replace("&#x27;", "'").replace("&quot;", "\"").replace("&#39;", "'");
        assert!(plain.contains(words), "no {words:?} on the page: {plain}");
    }

    /// The same for a host that is to be added: one that is right but for these fields.
    async fn not_added(&mut self, wrong: &[(&str, Value)], field: &str, words: &str) {
        let mut host = self.house.host(2);
        for (name, value) in wrong {
            host[*name] = value.clone();
        }
        self.refused(Method::POST, "/api/v1/hosts", "/hosts/new", &host, field, words).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_hosts_are_refused_by_field_and_reason_and_nothing_is_left() {
    let house = House::on_sqlite(2).unwrap();
    let admin = house.start_admin().await.unwrap();
    let mut desk = Desk::open(&house, &admin).await;

    let nobody = format!("tcp://127.0.0.1:{}", free_port().unwrap());
    desk.not_added(&[("daemon_url", json!(nobody))], "daemon_url", "connection refused").await;
    desk.not_added(&[("daemon_url", json!("unix:///no/docker.sock"))], "daemon_url", "no such file").await;
    desk.not_added(&[("daemon_url", json!("tcp://no-such-host.invalid:2375"))], "daemon_url", "no-such-host").await;
    // Something answers there, and it is no Docker engine.
    let other = admin.url.replace("http", "tcp");
    desk.not_added(&[("daemon_url", json!(other))], "daemon_url", "Docker").await;
    for url in ["", "http://127.0.0.1:2375", "tcp://127.0.0.1", "unix://relative", "tcp://127.0.0.1:2375/x"] {
        desk.not_added(&[("daemon_url", json!(url))], "daemon_url", "tcp://HOST:2375").await;
    }
    desk.not_added(&[("address", json!(""))], "address", "needed with unix://").await;
    desk.not_added(&[("name", json!(""))], "name", "empty").await;
    // Four slots are all that the port range has.
    desk.not_added(&[("capacity", json!(5))], "capacity", "at most 4").await;
    desk.not_added(&[("capacity", json!(1001))], "capacity", "1000").await;
    assert_eq!(desk.operator.items("/api/v1/hosts").await.unwrap(), Vec::<Value>::new());

    let host = house.add_host(&desk.operator, 2).await.unwrap();
    desk.not_added(&[("address", json!("127.0.0.2")), ("bind_address", json!("127.0.0.2"))], "name", "already").await;
    // The same engine by the same socket, and by another way to it.
    let twice = [("name", json!("twice")), ("address", json!("127.0.0.2")), ("bind_address", json!("127.0.0.2"))];
    desk.not_added(&twice, "daemon_url", &house.host_name).await;
    let by_link = tempfile::tempdir().unwrap();
    let link = by_link.path().join("docker.sock");
    std::os::unix::fs::symlink("/var/run/docker.sock", &link).unwrap();
    let url = json!(format!("unix://{}", link.display()));
    let [name, address, bind] = twice;
    desk.not_added(&[name, address, bind, ("daemon_url", url)], "daemon_url", &house.host_name).await;
    assert_eq!(desk.operator.items("/api/v1/hosts").await.unwrap().len(), 1);

    house.until(&desk.operator, "2 free").await;
    let (json_path, page) = (format!("/api/v1/hosts/{host}"), format!("/hosts/{host}/configure"));
    for (capacity, words) in [(1, "below the 2 clusters"), (0, "below the 2 clusters"), (5, "at most 4")] {
        let mut settings = house.host(capacity);
        settings.as_object_mut().unwrap().remove("daemon_url");
        let mut form = settings.clone();
        let version = desk.operator.get(&json_path).await.unwrap().json()["version"].clone();
        form["version"] = version;
        desk.refused(Method::PATCH, &json_path, &page, &form, "capacity", words).await;
    }
    house.until(&desk.operator, "2 free").await;

    unknown_ids_are_not_found(&mut desk).await;
    a_form_needs_its_token(&mut desk).await;
    house.leave(&desk.operator, &host).await.unwrap();
}

async fn unknown_ids_are_not_found(desk: &mut Desk<'_>) {
    for id in ["0123456789abcdef01234567", "x", "..%2f..", "0123456789ABCDEF01234567", &"9".repeat(500)] {
        let json = format!("/api/v1/hosts/{id}");
        desk.operator.get(&json).await.unwrap().is(404);
        desk.operator.call(Method::DELETE, &json, None).await.unwrap().is(404);
        desk.operator.call(Method::PATCH, &json, Some(&json!({"capacity": 1}))).await.unwrap().is(404);
        desk.operator.get(&format!("/api/v1/clusters/{id}")).await.unwrap().is(404);
        desk.operator.get(&format!("/api/v1/records/{id}")).await.unwrap().is(404);
        for path in [format!("/hosts/{id}"), format!("/hosts/{id}/configure"), format!("/clusters/{id}")] {
            desk.browser.open(&path).await.unwrap().is(404);
        }
    }
}

async fn a_form_needs_its_token(desk: &mut Desk<'_>) {
    let fields = [("name", "h"), ("csrf", "0000")];
    desk.browser.send("/hosts/new", &fields).await.unwrap().is(403);
    desk.browser.send("/hosts/new", &fields[..1]).await.unwrap().is(403);
    assert_eq!(desk.operator.items("/api/v1/hosts").await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_that_does_not_exist_holds_its_flavor_back_with_the_reason() {
    let mut house = House::on_sqlite(2).unwrap();
    let image = format!("poolmanager-story/no-such-image-{:08x}:1", rand::random::<u32>());
    house.set("FABRIC_PEER_IMAGE", &image);
    let admin = house.start_admin().await.unwrap();
    let operator = admin.operator().await.unwrap();
    let host = house.add_host(&operator, 2).await.unwrap();
    let path = format!("/api/v1/hosts/{host}");
    // The first try and one more, so that there was a pause between them.
    let outlook = wait_until("the flavor to be held back twice", PATIENCE, || async {
        let shown = operator.get(&path).await.map_err(|e| e.to_string())?.json();
        let lines: Vec<String> = serde_json::from_value(shown["outlook"].clone()).unwrap_or_default();
        let held = lines.iter().find(|line| line.contains(FLAVOR) && line.contains("could not be made"));
        let tries = admin.program.log().matches(&format!("pulling image {image}")).count();
        match held {
            Some(line) if tries >= 3 => Ok(line.clone()),
            _ => Err(format!("{lines:?}; {tries} tries; {}", operator.words().await)),
        }
    })
    .await;
    assert!(outlook.contains(&image), "{outlook}");
    let events = operator.get("/api/v1/events?limit=100").await.unwrap();
    let events = events.json()["items"].as_array().unwrap().clone();
    // What the host only lacks is no failed cluster, of which evidence would pile up.
    assert!(!events.iter().any(|event| event["kind"] == "failed"), "{events:#?}");
    let removed: Vec<&Value> = events.iter().filter(|event| event["kind"] == "removed").collect();
    assert!(!removed.is_empty() && removed.iter().all(|event| event["reason"].as_str().unwrap().contains(&image)));

    // Between two tries nothing half-made is left, neither recorded nor on the engine.
    house.until(&operator, "none").await;

    // With the image put right and admin started again, it fills by itself.
    drop(admin);
    house.set("FABRIC_PEER_IMAGE", e2e::pool::PEER_IMAGE);
    let admin = house.start_admin().await.unwrap();
    let operator = operator.at(&admin.url);
    house.until(&operator, "2 free").await;
    house.leave(&operator, &host).await.unwrap();
}
