//! Lists as people use them: search, filters, heads to sort by, pages, and an address that holds all of it.

use common::model::{Host, Metadata};

use crate::support::{Browser, House, hidden};

/// The names in a table, from the top.
fn names(page: &str, of: &str) -> Vec<String> {
    let link = format!("<th scope=\"row\" data-label=\"Name\"><a href=\"/{of}/");
    let rows = page.split(&link).skip(1);
    rows.filter_map(|row| Some(row.split_once('>')?.1.split_once('<')?.0.to_owned())).collect()
}

/// The link of this label, as a browser reads it.
fn link(page: &str, label: &str) -> Option<String> {
    let before = page.split(&format!(">{label}")).next().filter(|before| before.len() < page.len())?;
    let href = before.rsplit_once("href=\"")?.1.split_once('"')?.0;
    Some(href.replace("&amp;", "&").replace("&#x2F;", "/"))
}

/// The link to a page that asks something and leads back to this one.
fn leading_back(page: &str, asks: &str) -> Option<String> {
    let (before, rest) = page.split_once(&format!("{asks}?back="))?;
    Some(format!("{}{asks}?back={}", before.rsplit_once("href=\"")?.1, rest.split_once('"')?.0))
}

/// The link to the page before or after.
fn rel(page: &str, rel: &str) -> Option<String> {
    let (_, rest) = page.split_once(&format!("rel=\"{rel}\" href=\""))?;
    Some(rest.split_once('"')?.0.replace("&amp;", "&").replace("&#x2F;", "/"))
}

async fn three(house: &House) -> Vec<Host> {
    let mut hosts = Vec::new();
    for (name, slots) in [("Beta", 2), ("alpha", 3), ("gamma", 1)] {
        let host = house.add_host(name).await;
        for slot in 0..slots {
            house.add_free(&host, slot * 5).await;
        }
        hosts.push(host);
    }
    hosts
}

async fn pages_of(browser: &mut Browser, first: &str, of: &str) -> Vec<Vec<String>> {
    let (mut pages, mut at) = (Vec::new(), first.to_owned());
    loop {
        let page = browser.get(&at).await;
        page.is(200);
        pages.push(names(&page.text, of));
        match rel(&page.text, "next") {
            Some(next) => at = next,
            None => return pages,
        }
    }
}

#[tokio::test]
async fn clusters_are_sorted_by_their_heads_and_paged_both_ways() {
    let house = House::new().await;
    three(&house).await;
    let mut browser = house.browser_of("vera").await;
    let by_name = ["alpha_0", "alpha_5", "alpha_10", "Beta_0", "Beta_5", "gamma_0"];
    assert_eq!(pages_of(&mut browser, "/clusters", "clusters").await, [by_name.to_vec()]);
    let parts = pages_of(&mut browser, "/clusters?limit=4", "clusters").await;
    assert_eq!(parts, [by_name[..4].to_vec(), by_name[4..].to_vec()]);
    let page = browser.get("/clusters?limit=4").await;
    let second = browser.get(&rel(&page.text, "next").unwrap()).await;
    let back = browser.get(&rel(&second.text, "prev").unwrap()).await;
    assert_eq!(names(&back.text, "clusters"), by_name[..4]);
    // A head sorts the other way round when the list is sorted by it.
    let turned = browser.get(&link(&page.text, "Name<").unwrap()).await;
    turned.has("aria-sort=\"descending\"");
    assert_eq!(names(&turned.text, "clusters"), ["gamma_0", "Beta_5", "Beta_0", "alpha_10"]);
    browser.get("/clusters?sort=user").await.is(400).has("must be one of name, created, flavor, changed");
    let stale = rel(&page.text, "next").unwrap().replace("type=active", "type=active&sort=created");
    browser.get(&stale).await.is(400).has("sorted by name asc");
    house.end().await;
}

#[tokio::test]
async fn clusters_are_searched_and_filtered_and_the_filters_cleared() {
    let house = House::new().await;
    let hosts = three(&house).await;
    let mut browser = house.browser_of("vera").await;
    let search =
        async |browser: &mut Browser, q: &str| names(&browser.get(&format!("/clusters?{q}")).await.text, "clusters");
    assert_eq!(search(&mut browser, "q=BETA").await, ["Beta_0", "Beta_5"]);
    assert_eq!(search(&mut browser, "q=alpha_1").await, ["alpha_10"]);
    assert_eq!(search(&mut browser, &format!("host={}", hosts[2].id)).await, ["gamma_0"]);
    assert_eq!(search(&mut browser, "phase=creating").await, [""; 0]);
    let nothing = browser.get("/clusters?q=nobody&sort=created").await;
    nothing.is(200).has("Nothing matches").has("Clear the filters");
    let cleared = link(&nothing.text, "Clear the filters").unwrap();
    assert!(cleared.contains("sort=created") && !cleared.contains("nobody"), "{cleared}");
    for (query, field) in [("q=%00", "q"), ("health=fine", "health"), ("phase=lost", "phase"), ("limit=1000", "limit")]
    {
        let api = browser.get(&format!("/api/v1/clusters?type=active&{query}")).await;
        // A list and a phase at once are refused there.
        assert!(api.is(422).faults().contains(field), "{query}: {}", api.text);
        browser.get(&format!("/clusters?{query}")).await.is(400).has("cannot be read");
    }
    house.end().await;
}

#[tokio::test]
async fn hosts_are_searched_sorted_and_marked_when_they_take_nothing() {
    let house = House::new().await;
    let hosts = three(&house).await;
    let mut configured = hosts[0].settings.clone();
    configured.schedulable = false;
    let event = common::model::Event::new(
        common::clock::now(),
        common::model::EventKind::HostChanged,
        common::model::Actor::Reconciler,
        "for the test",
    );
    house.store.change_host(&hosts[0].configured(configured), event).await.unwrap();
    let mut browser = house.browser_of("otto").await;
    let page = browser.get("/hosts").await;
    assert_eq!(names(&page.text, "hosts"), ["alpha", "Beta", "gamma"]);
    page.has("<strong>not schedulable</strong>").has("Uncordon Beta").has("3 hosts");
    let off = browser.get("/hosts?schedulable=no").await;
    assert_eq!(names(&off.text, "hosts"), ["Beta"]);
    // Anywhere in the name, the address or the URL.
    assert_eq!(names(&browser.get("/hosts?q=MMA").await.text, "hosts"), ["gamma"]);
    assert_eq!(names(&browser.get("/hosts?q=10.1.2.3:2375").await.text, "hosts").len(), 3);
    let api = browser.get("/api/v1/hosts?sort=name&dir=desc&limit=2").await.json();
    assert_eq!(api["items"][0]["name"], "gamma");
    assert_eq!((&api["total"], api["previous"].is_null(), api["next"].is_null()), (&3.into(), true, false));
    browser.get("/hosts?state=asleep").await.is(400).has("must be one of active, inactive");
    browser.get("/hosts?q=nowhere").await.is(200).has("Nothing matches");
    house.end().await;
}

#[tokio::test]
async fn what_a_row_can_have_done_leads_back_to_the_list_and_nowhere_else() {
    let house = House::new().await;
    let host = house.add_host("h1").await;
    let held = house.add_held(&host, 0, "alice", Metadata::new()).await;
    let mut browser = house.browser_of("otto").await;
    let list = "/clusters?q=ali&type=inused";
    let page = browser.get(list).await;
    page.has("Stop h1_0").has("Restart h1_0").has("Release h1_0");
    let csrf = hidden(&page.text, "csrf");
    let path = format!("/clusters/{}/stop", held.id);
    let lease = held.lease().unwrap().id.as_str();
    let done = browser.post(&path, &[("csrf", &csrf), ("lease", lease), ("back", list)]).await;
    assert_eq!(done.location(), list);
    for elsewhere in ["https://evil.example/", "//evil.example/clusters?", "/clusters?\r\nx: y", "/clusters\\?", ""] {
        let done = browser.post(&path, &[("csrf", &csrf), ("lease", lease), ("back", elsewhere)]).await;
        assert_eq!(done.location(), format!("/clusters/{}", held.id), "{elsewhere}");
    }
    let page = browser.get(list).await;
    page.has("Start h1_0");
    let mut viewer = house.browser_of("vera").await;
    assert!(!viewer.get(list).await.text.contains("<button class=\"btn btn-sm\""), "a viewer has no buttons");
    house.end().await;
}

#[tokio::test]
async fn a_list_asked_for_wrongly_comes_back_with_what_was_typed_and_the_reason_at_its_field() {
    let house = House::new().await;
    let host = house.add_host("h1").await;
    house.add_free(&host, 0).await;
    let mut browser = house.browser_of("ada").await;
    let system = "__SYSTEM__%3Cb%3E";
    for (path, field, words) in [
        (format!("/clusters?type=inused&host={}&q=h1&user={system}", host.id), "user", "User"),
        ("/clusters?phase=asleep&q=h1".into(), "phase", "Phase must be one or more of creating"),
        (format!("/clusters?phase=creating&user={system}"), "user", "User"),
        (format!("/clusters?flavor=gone-1&user={system}"), "user", "User"),
        ("/clusters?type=released&q=%07".into(), "q", "What is searched for"),
        ("/clusters?type=failed&flavor=%07".into(), "flavor", "Flavor"),
        ("/hosts?purpose=rest&q=h1".into(), "purpose", "Purpose must be one of serve"),
        (format!("/access/tokens?user={system}"), "user", "User"),
        ("/events?kind=sorrow&actor=operator:ada".into(), "kind", "What must be one or more of"),
        ("/events?actor=ada&kind=removed".into(), "actor", "Asked by must be reconciler"),
        ("/events?since=yesterday".into(), "since", "From must be a time"),
        ("/events?until=morgen".into(), "until", "in UTC, not “morgen”"),
    ] {
        let page = browser.get(&path).await;
        page.is(400).has(&format!("id=\"{field}-error\"")).has(&format!("aria-describedby=\"{field}-error\""));
        page.has(words).has("Show all").has("<nav class=\"mainnav\"");
        for (typed, shown) in [
            ("q=h1", "value=\"h1\""),
            (system, "value=\"__SYSTEM__&lt;b&gt;\""),
            ("operator:ada", "value=\"operator:ada\""),
            ("kind=removed", "<option value=\"removed\" selected>"),
            ("type=inused", "value=\"inused\""),
            ("phase=creating", "<option value=\"creating\" selected>"),
            ("flavor=gone-1", "<option value=\"gone-1\" selected>gone-1"),
            ("host=", "Only those on"),
        ] {
            assert!(!path.contains(typed) || page.text.contains(shown), "{path} has lost {typed}: {}", page.text);
        }
        for not_so in ["Nothing of this", "Nothing matches", "No tokens", "h1_0", "id=\"live\""] {
            assert!(!page.text.contains(not_so), "{path} says {not_so}");
        }
    }
    for path in [
        "/clusters?type=inused&phase=free",
        "/clusters?host=h1",
        "/clusters?type=other",
        "/hosts?sort=colour",
        "/hosts?after=x",
        "/events?host=h1",
    ] {
        browser.get(path).await.is(400).has(" in the address ").has("Show all");
    }
    house.end().await;
}

#[tokio::test]
async fn what_asks_first_leads_back_to_the_list_and_its_filter_and_nowhere_else() {
    let house = House::new().await;
    let host = house.add_host("h1").await;
    let held = house.add_held(&host, 0, "alice", Metadata::new()).await;
    house.add_record(&host, 2, "bob").await;
    house.add_free(&host, 1).await;
    let mut ada = house.browser_of("ada").await;
    let token = serde_json::json!({"kind": "user", "user": "alice", "name": "n", "expires": "90d"});
    ada.json("POST", "/api/v1/tokens", token).await.is(201);
    for (list, asks) in [
        ("/clusters?q=h1&type=inused", "/release"),
        ("/clusters?phase=free&type=active", "/delete"),
        ("/clusters?user=bob&type=released", "/delete"),
        ("/clusters?q=h1&type=active", "/clusters/new"),
        ("/hosts?q=h1&limit=25", "/configure"),
        ("/hosts?q=h1&limit=25", "/hosts/new"),
        ("/hosts?q=h1&limit=25", "/hosts/many"),
        ("/access/tokens?user=alice", "/revoke"),
    ] {
        let page = ada.get(list).await;
        let to = leading_back(&page.is(200).text, asks).unwrap_or_else(|| panic!("{list} has no {asks}"));
        let asking = ada.get(&to).await;
        assert_eq!(link(&asking.is(200).text, "Cancel").unwrap(), list, "{to}");
        assert_eq!(hidden(&asking.text, "back").replace("&amp;", "&").replace("&#x2F;", "/"), list, "{to}");
    }
    let release = format!("/clusters/{}/release", held.id);
    for elsewhere in ["https://evil.example/", "//evil.example/", "/\\evil.example", "/..//evil.example", ""] {
        let to: String = url::form_urlencoded::byte_serialize(elsewhere.as_bytes()).collect();
        let asking = ada.get(&format!("{release}?back={to}")).await;
        assert_eq!(link(&asking.is(200).text, "Cancel").unwrap(), format!("/clusters/{}", held.id), "{elsewhere}");
        assert!(!asking.text.contains("name=\"back\""), "{elsewhere}");
    }
    // A form that is refused keeps it, one that is carried out leads there.
    let list = "/hosts?q=h1&limit=25";
    let refused = ada.post("/hosts/new", &[("name", "<"), ("back", list)]).await;
    assert_eq!(link(&refused.is(422).text, "Cancel").unwrap(), list);
    let list = "/clusters?q=h1&type=inused";
    assert_eq!(ada.post(&release, &[("back", list)]).await.is(303).location(), list);
    house.end().await;
}

#[tokio::test]
async fn nothing_that_was_typed_or_stored_is_code_in_a_list() {
    let house = House::new().await;
    let host = house.add_host("h1").await;
    let code = "<script>alert('x')</script>";
    house.add_held(&host, 0, code, Metadata::new()).await;
    house.add_record(&host, 1, code).await;
    let mut browser = house.browser_of("otto").await;
    let typed = "%22%3E%3Cscript%3Ealert('x')%3C/script%3E";
    for path in [
        "/clusters".to_owned(),
        "/clusters?type=inused".into(),
        "/clusters?type=released".into(),
        format!("/clusters?q={typed}&user={typed}"),
        format!("/clusters?type=released&q={typed}"),
        format!("/hosts?q={typed}"),
    ] {
        let page = browser.get(&path).await;
        assert!(!page.is(200).text.contains("<script>"), "{path}");
    }
    house.end().await;
}
