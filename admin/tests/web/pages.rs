//! What pages contain, and that nothing in them can be code.

use common::clock::now;
use common::model::{Actor, Event, EventKind, Metadata, Role};

use crate::support::{Browser, House};

const CODE: &str = "<script>alert('x')</script>\"><img src=x onerror=alert(1)>";

/// The one script that pages have: ours, by its hash.
fn without_our_script(text: &str) -> String {
    let start = "<script src=\"/assets/app.js?v=";
    let (before, after) = text.split_once(start).unwrap_or_else(|| panic!("no {start} in {text}"));
    let (hash, rest) = after.split_once("\" defer></script>").expect("the script's end");
    assert!(hash.len() == 16 && hash.bytes().all(|b| b.is_ascii_hexdigit()), "{hash}");
    format!("{before}{rest}")
}

/// Every page, with something of everything on it.
async fn pages(house: &House, browser: &mut Browser) -> Vec<(String, String)> {
    let hosts = house.store.list_hosts().await.unwrap();
    let clusters = house.store.list_clusters(&Default::default(), &common::store::Page::first(10)).await.unwrap();
    let mut paths: Vec<String> = [
        "/",
        "/hosts",
        "/hosts/new",
        "/clusters",
        "/clusters?type=inused",
        "/clusters?type=released",
        "/clusters?type=failed",
        "/clusters?type=existing",
        "/flavors",
        "/stat",
        "/events",
    ]
    .map(str::to_owned)
    .into();
    for host in &hosts {
        paths.extend(
            ["", "/configure", "/delete", "/force", "/reset", "/clean", "/drain"]
                .map(|part| format!("/hosts/{}{part}", host.id)),
        );
    }
    for evidence in house.store.list_evidence(None, &common::store::Page::first(10)).await.unwrap() {
        paths.push(format!("/clusters/{}/evidence", evidence.cluster));
    }
    paths.extend(house.catalog.flavors().iter().take(1).map(|flavor| format!("/flavors/{}", flavor.id)));
    for cluster in &clusters {
        paths.extend(["", "/release", "/delete"].map(|part| format!("/clusters/{}{part}", cluster.id)));
    }
    let mut pages = Vec::new();
    for path in paths {
        let answer = browser.get(&path).await;
        answer.is(200);
        pages.push((path, answer.text));
    }
    pages
}

#[tokio::test]
async fn no_text_of_anybody_becomes_code_on_a_page() {
    let house = House::new().await;
    house.add_operator(CODE, Role::Admin).await;
    let host = house.add_host("h1").await;
    let metadata = Metadata::from([(CODE.to_owned(), CODE.to_owned())]);
    let held = house.add_held(&host, 0, CODE, metadata).await;
    house.add_record(&host, 1, CODE).await;
    crate::failures::failure(&house, 2).await;
    let bad = held.seen(vec![], held.worse(CODE.into(), now()));
    house.store.move_cluster(&held, &bad, None).await.unwrap();
    let event = Event::new(now(), EventKind::HealthChanged, Actor::Operator { name: CODE.into() }, CODE).about(&bad);
    house.store.append_events(&[event]).await.unwrap();
    let mut contact = host.contact.clone();
    contact.state = common::model::HostState::Inactive { since: now(), why: CODE.into() };
    contact.engine_version = CODE.into();
    house.store.note_contact(&host.id, &contact).await.unwrap();

    let mut browser = house.browser_of(CODE).await;
    let mut pages = pages(&house, &mut browser).await;
    let typed = [("name", CODE), ("daemon_url", CODE), ("address", CODE), ("log_type", CODE), ("capacity", CODE)];
    pages.push(("refused form".into(), browser.post("/hosts/new", &typed).await.is(422).text.clone()));
    let encoded: String = CODE.bytes().map(|b| format!("%{b:02x}")).collect();
    for path in ["/clusters?type=inused&user=", "/clusters?type=", "/events?host=", "/login?next=", "/clusters/"] {
        pages.push((path.into(), browser.get(&format!("{path}{encoded}")).await.text));
    }
    pages.push(("sign-in".into(), Browser::new(&house.url).sign_in(CODE, "wrong").await.text));
    let mut shown = 0;
    for (path, text) in pages {
        let lower = without_our_script(&text).to_ascii_lowercase();
        for code in ["<script", "<img src=x", "onerror=alert(1)>", "javascript:"] {
            let at = lower.find(code);
            assert_eq!(at, None, "{code} on {path}: {text}");
        }
        shown += usize::from(lower.contains("&lt;script"));
    }
    assert!(shown >= 8, "the text itself is shown, escaped: on {shown} pages");
    house.end().await;
}

#[tokio::test]
async fn pages_have_no_code_and_no_styles_inside_themselves() {
    let house = House::new().await;
    let host = house.add_host("h1").await;
    house.add_held(&host, 0, "alice", Metadata::new()).await;
    let mut browser = house.browser_of("ada").await;
    let mut pages = pages(&house, &mut browser).await;
    pages.push(("/login".into(), Browser::new(&house.url).get("/login").await.text));
    for (path, text) in pages {
        let text = without_our_script(&text);
        for forbidden in ["<script", "<style", " style=", " onclick=", "http://fonts", "//cdn"] {
            assert!(!text.contains(forbidden), "{forbidden} on {path}");
        }
        // Every form that changes something carries the token; every field that is seen has a label.
        let posts = text.matches("method=\"post\"").count();
        assert_eq!(posts, text.matches("name=\"csrf\"").count(), "{path}");
        for id in
            ["<input id=\"", "<select id=\"", "<textarea id=\""].into_iter().flat_map(|tag| text.split(tag).skip(1))
        {
            let id = id.split('"').next().unwrap();
            assert!(text.contains(&format!("<label for=\"{id}\"")), "no label for {id} on {path}");
        }
        assert_eq!(text.matches("<h1>").count(), 1, "{path}");
        assert!(text.contains("<html lang=\"en\">") && text.contains("name=\"viewport\""), "{path}");
    }
    house.end().await;
}

#[tokio::test]
async fn every_picture_on_a_page_is_in_the_one_file_of_them() {
    let house = House::new().await;
    let host = house.add_host("h1").await;
    house.add_held(&host, 0, "alice", Metadata::new()).await;
    crate::failures::failure(&house, 2).await;
    let mut browser = house.browser_of("ada").await;
    let sprite = browser.get("/assets/icons.svg").await.text;
    let mut seen = 0;
    for (path, text) in pages(&house, &mut browser).await {
        for part in text.split("/assets/icons.svg?v=").skip(1) {
            let name = part.split(['#', '"']).nth(1).unwrap();
            assert!(
                sprite.contains(&format!("<symbol id=\"{name}\"")),
                "{name} on {path} is not in admin/ui/src/icons.txt"
            );
            seen += 1;
        }
    }
    assert!(seen > 50, "{seen}");
    house.end().await;
}

#[tokio::test]
async fn the_overview_counts_what_is_there() {
    let house = House::new().await;
    let mut browser = house.browser_of("otto").await;
    browser.get("/").await.is(200).has("There is no host yet").has("href=\"/hosts/new?back=");
    let host = house.add_host("h1").await;
    house.add_held(&host, 0, "alice", Metadata::new()).await;
    house.add_free(&host, 1).await;
    house.add_free(&host, 2).await;
    let page = browser.get_counted("/", "<strong>2</strong> <span class=\"note\">can be had<").await;
    for (label, value, note) in [
        ("Free", "2", "can be had<"),
        ("In use", "1", "held by users"),
        ("Being made", "0", "0 being removed"),
        ("Failed", "0", "at this moment"),
        ("Hosts", "1", "1 answer; 3 of 5 places taken"),
        ("Hit rate", "–", "of 0 applies in the last hour"),
    ] {
        page.has(&format!("{label}</span> <strong>{value}</strong> <span class=\"note\">{note}"));
    }
    page.has("Clusters by flavor").has("the pool is short");
    for old in ["/admin", "/index"] {
        assert_eq!(browser.get(old).await.location(), "/");
    }
    house.end().await;
}

#[tokio::test]
async fn free_clusters_that_nobody_can_have_are_told_apart() {
    let house = House::new().await;
    let [serves, hangs, cordoned] =
        [house.add_host("h1").await, house.add_host("h2").await, house.add_host("h3").await];
    for (host, clusters) in [(&serves, 1), (&hangs, 2), (&cordoned, 3)] {
        for slot in 0..clusters {
            house.add_free(host, slot).await;
        }
    }
    let mut contact = hangs.contact.clone();
    contact.state = common::model::HostState::Inactive { since: now(), why: "no answer".into() };
    house.store.note_contact(&hangs.id, &contact).await.unwrap();
    let mut settings = cordoned.settings.clone();
    settings.schedulable = false;
    let event = Event::new(now(), EventKind::HostChanged, Actor::Reconciler, "cordoned").about_host(&cordoned.id);
    house.store.change_host(&cordoned.configured(settings), event).await.unwrap();
    let mut browser = house.browser_of("vera").await;
    let told = "Free</span> <strong>6</strong> <span class=\"note\">1 can be had; 2 on hosts that do not answer; 3 on hosts \
                that give none out</span>";
    browser.get_counted("/", told).await;
    browser.get("/hosts").await.has("2 <span class=\"dim\">(not given out)</span>");
    house.end().await;
}

#[tokio::test]
async fn a_host_says_what_is_wrong_with_it_and_since_when() {
    let house = House::new().await;
    let host = house.add_host("h1").await;
    let mut contact = host.contact.clone();
    let why = "tcp://10.1.2.3:2375 cannot be reached: connection refused".to_owned();
    contact.state = common::model::HostState::Inactive { since: now(), why: why.clone() };
    house.store.note_contact(&host.id, &contact).await.unwrap();
    let mut browser = house.browser_of("vera").await;
    browser.get("/hosts").await.has("inactive").has(&why);
    browser.get(&format!("/hosts/{}", host.id)).await.has("Not reachable").has(&why).has("20.10.24").has("8.0 GiB");
    let api = browser.get(&format!("/api/v1/hosts/{}", host.id)).await.json();
    assert_eq!(api["state_reason"], why);
    house.end().await;
}

#[tokio::test]
async fn the_flavors_that_ship_are_listed() {
    let house = House::new().await;
    let mut browser = house.browser_of("vera").await;
    let page = browser.get("/flavors").await;
    let api = browser.get("/api/v1/flavors").await.json();
    assert!(!house.catalog.flavors().is_empty());
    for (flavor, shape) in house.catalog.flavors().iter().zip(api["items"].as_array().unwrap()) {
        page.is(200).has(&flavor.title).has(flavor.id.as_str());
        assert_eq!(shape["id"], flavor.id.as_str());
    }
    house.end().await;
}

#[tokio::test]
async fn a_flavor_shows_what_was_chosen_and_the_compose_file_that_it_comes_to() {
    let house = House::new().await;
    let host = house.add_host("h1").await;
    house.add_free(&host, 0).await;
    let free = house.store.list_clusters(&Default::default(), &common::store::Page::first(1)).await.unwrap();
    let mut browser = house.browser_of("vera").await;
    let page = browser.get_counted(&format!("/flavors/{}", free[0].flavor), "<strong>1</strong>").await;
    page.is(200).has("<dt>Consensus</dt>").has("could be").has("data-copy-from=\"compose\"");
    page.has("services:").has("CORE_PEER_ID: vp0").has("512 MiB");
    assert!(!page.text.contains("{%"), "the file is rendered");
    browser.get("/flavors/none").await.is(404).has("There is no such flavor.");
    house.end().await;
}

#[tokio::test]
async fn the_health_checks_are_open_to_all() {
    let house = House::new().await;
    let mut nobody = Browser::new(&house.url);
    nobody.get("/healthz").await.is(200).has("ok");
    nobody.get("/readyz").await.is(200).has("ready");
    house.end().await;
}
