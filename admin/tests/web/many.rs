//! Adding many hosts at once, by page and by JSON.

use serde_json::{Value, json};
use simdocker::{SimHost, SimOptions};

use crate::support::{House, hidden};

async fn sims<const N: usize>() -> [SimHost; N] {
    let mut sims = Vec::new();
    for _ in 0..N {
        sims.push(SimHost::start(SimOptions::fresh()).await.unwrap());
    }
    sims.try_into().unwrap_or_else(|_| panic!("so many"))
}

/// What the form has beside its text.
fn form<'a>(text: &'a str, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let usual =
        [("capacity", "2"), ("bind_address", ""), ("log_level", "info"), ("log_type", "local"), ("log_server", "")];
    let mut fields = vec![("text", text)];
    fields.extend(usual.into_iter().filter(|(name, _)| more.iter().all(|(other, _)| other != name)));
    fields.extend_from_slice(more);
    fields
}

#[tokio::test]
async fn each_line_is_added_or_refused_by_itself_and_what_was_refused_is_mended_and_sent_again() {
    let house = House::new().await;
    let [one, two, three] = sims().await;
    let mut browser = house.browser_of("otto").await;
    let text = format!(
        "name,daemon_url,capacity\n# rack 1\nh1 {} 3\nh2,{},bind_address=127.0.0.1\nh1 tcp://10.0.0.1:2375\nbad_url tcp://x\n\
         dead tcp://127.0.0.1:1\nh3 {} 3 <script>\n",
        one.url(),
        two.url(),
        three.url()
    );
    let page = browser.post("/hosts/many", &form(&text, &[("autofill", "on"), ("schedulable", "on")])).await;
    page.is(422).has("2 hosts were added, 4 lines were refused.").has("connection refused").has("needs a port");
    page.has("is that of line 3 as well").has("one word too many: &lt;script&gt;");
    assert!(!page.text.contains("<script>"), "{}", page.text);
    let area = page.text.split("<textarea").nth(1).unwrap().split("</textarea>").next().unwrap();
    assert!(!area.contains(&one.url()) && area.contains("dead tcp://127.0.0.1:1\n"), "{area}");
    let hosts = house.store.list_hosts().await.unwrap();
    let short: Vec<_> = hosts.iter().map(|host| (host.settings.name.as_str(), host.settings.capacity)).collect();
    assert_eq!(short, [("h1", 3), ("h2", 2)]);
    page.has(&format!("<a href=\"/hosts/{}\">h1</a>", hosts[0].id));
    assert!(hosts.iter().all(|host| host.settings.autofill), "{hosts:?}");
    // Mended. What is there already is no trouble.
    let text = format!("h1 {} 3\nh3 {}\n", one.url(), three.url());
    let answer = browser.post("/hosts/many", &form(&text, &[])).await;
    browser.follow(&answer).await.has("1 host was added, 1 host was there already.");
    assert_eq!(house.store.list_hosts().await.unwrap().len(), 3);
    browser.get("/events").await.has("host h3 was added").has("operator otto");
    for sim in [one, two, three] {
        sim.shutdown().await;
    }
    house.end().await;
}

#[tokio::test]
async fn the_form_as_a_whole_is_refused_at_its_fields_with_what_was_typed() {
    let house = House::new().await;
    let mut browser = house.browser_of("otto").await;
    browser.get("/hosts/many").await.is(200).has("Hosts, one a line").has("At most 200 hosts");
    let page = browser.post("/hosts/many", &form("  \n# none\n", &[("capacity", "many")])).await;
    page.is(422).has("id=\"text-error\"").has("names no host").has("id=\"capacity-error\"").has("value=\"many\"");
    let many: String = (0..201).map(|n| format!("h{n} tcp://127.0.0.1:{n}\n")).collect();
    browser.post("/hosts/many", &form(&many, &[])).await.is(422).has("names 201 hosts; at most 200");
    let long = "# x\n".repeat(30_000);
    browser.post("/hosts/many", &form(&long, &[])).await.is(422).has("at most 96 are taken");
    browser.post("/hosts/many", &form(&"x".repeat(400 * 1024), &[])).await.is(413);
    house.browser_of("vera").await.get("/hosts/many").await.is(403);
    assert!(!hidden(&browser.get("/hosts/many").await.text, "csrf").is_empty());
    house.end().await;
}

#[tokio::test]
async fn many_hosts_by_json_say_what_came_of_each_line() {
    let house = House::new().await;
    let [one] = sims().await;
    let mut browser = house.browser_of("otto").await;
    let text = format!("h1 {}\nh2 {}\nh3\n", one.url(), one.url());
    let body = json!({"text": text, "capacity": 1, "autofill": false});
    let answer = browser.json("POST", "/api/v1/hosts/many", body.clone()).await;
    let done = answer.is(200).json();
    assert_eq!((&done["added"], &done["there"], &done["refused"]), (&json!(1), &json!(0), &json!(2)));
    let results: Vec<&Value> = done["lines"].as_array().unwrap().iter().map(|line| &line["result"]).collect();
    assert_eq!(results, ["added", "refused", "refused"]);
    assert_eq!(done["lines"][1]["errors"][0]["field"], "daemon_url");
    let host = browser.get(&format!("/api/v1/hosts/{}", done["lines"][0]["host_id"].as_str().unwrap())).await.json();
    assert_eq!((&host["capacity"], &host["autofill"]), (&json!(1), &json!(false)));
    let again = browser.json("POST", "/api/v1/hosts/many", body).await.json();
    assert_eq!(again["lines"][1]["result"], "there", "the same engine by its URL, whatever the line calls it");
    for (body, field) in [
        (json!({"text": "h1 tcp://127.0.0.1:1", "name": "h"}), "name"),
        (json!({"text": 5}), "text"),
        (json!({}), "text"),
        (json!({"text": "h1 tcp://127.0.0.1:1", "mix": [{"flavor": "none"}]}), "mix"),
        (json!({"text": "h1 tcp://127.0.0.1:1", "colour": "red"}), "colour"),
    ] {
        let answer = browser.json("POST", "/api/v1/hosts/many", body).await;
        assert_eq!(answer.is(422).json()["field"], field);
    }
    one.shutdown().await;
    house.end().await;
}

#[tokio::test]
async fn two_hundred_engines_that_hang_are_told_of_in_time() {
    let house = House::new().await;
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let mut browser = house.browser_of("otto").await;
    let text: String = (0..200).map(|n| format!("h{n} tcp://127.0.1.{n}:{port}\n")).collect();
    let silent: Vec<_> =
        (0..200).map(|n| std::net::TcpListener::bind(format!("127.0.1.{n}:{port}")).unwrap()).collect();
    let begun = std::time::Instant::now();
    let done = browser.json("POST", "/api/v1/hosts/many", json!({"text": text, "capacity": 1})).await.json();
    assert_eq!(done["refused"], 200);
    assert!(begun.elapsed().as_secs() <= 22, "{:?}", begun.elapsed());
    drop(silent);
    house.end().await;
}
