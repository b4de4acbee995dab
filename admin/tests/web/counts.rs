//! Numbers that lead to lists: each list has as many rows as the number says.

use common::clock::now;
use common::model::{Cluster, Contact, Host, HostState, Metadata, Why};

use crate::support::{Browser, House};

/// Something in every phase on this host, each number another one.
async fn some_of_each(house: &House, host: &Host) {
    let to = async |from: &Cluster, to: Cluster| house.store.move_cluster(from, &to, None).await.unwrap();
    for slot in 0..2 {
        let held = house.add_held(host, slot, "ann", Metadata::new()).await;
        to(&held, held.release("ann", now()).unwrap()).await;
    }
    let lost = house.add_held(host, 2, "ann", Metadata::new()).await;
    to(&lost, lost.lose("its host went".into(), now()).unwrap()).await;
    for slot in 3..6 {
        house.add_held(host, slot, "ann", Metadata::new()).await;
    }
    let removing = house.add_cluster(host, 6).await;
    to(&removing, removing.remove(Why::PoolShrunk, now()).unwrap()).await;
    let failed = house.add_cluster(host, 7).await;
    to(&failed, failed.fail(Why::CreateFailed { error: "no image".into() }, now()).unwrap()).await;
    house.add_cluster(host, 8).await;
    for slot in 9..13 {
        house.add_free(host, slot).await;
    }
}

/// Links to lists whose text has a number: that number, and where they lead.
fn counts(page: &str) -> Vec<(u64, String)> {
    let links = page.split("<a ").skip(1).filter_map(|rest| {
        let (tag, rest) = rest.split_once('>')?;
        let href = tag.split_once("href=\"")?.1.split_once('"')?.0.replace("&amp;", "&").replace("&#x2F;", "/");
        let words = rest.split_once("</a>")?.0;
        // A figure says its number in large letters, with a note below.
        let words = words.split_once("<strong>").map_or(words, |(_, after)| after.split_once("</strong>").unwrap().0);
        let text: String = words.split('<').map(|part| part.split_once('>').map_or(part, |(_, text)| text)).collect();
        let digits = text.split(|c: char| !c.is_ascii_digit()).find(|part| !part.is_empty())?;
        let list = href.split('?').next()?;
        let is_count = ["/clusters", "/hosts"].contains(&list) && !href.contains("limit=");
        is_count.then(|| (digits.parse().unwrap(), href.clone()))
    });
    links.collect()
}

async fn rows(browser: &mut Browser, list: &str) -> u64 {
    let page = browser.get(list).await;
    page.is(200);
    let row = if list.starts_with("/hosts") { "<tr id=\"host-" } else { "<tr id=\"cluster-" };
    page.text.matches(row).count() as u64
}

#[tokio::test]
async fn a_number_that_leads_to_a_list_is_how_many_rows_it_has() {
    let house = House::new().await;
    let hosts = [house.add_host("north").await, house.add_host("south").await];
    // First all that is held, for an apply takes any that is free.
    some_of_each(&house, &hosts[0]).await;
    let state = HostState::Inactive { since: now(), why: "refused".into() };
    house.store.note_contact(&hosts[1].id, &Contact { state, ..hosts[1].contact.clone() }).await.unwrap();
    for slot in 0..2 {
        house.add_free(&hosts[1], slot).await;
    }
    let flavor = house.catalog.flavors()[0].id.clone();
    let mut browser = house.browser_of("vera").await;
    browser.get_counted("/", "15 of 10 places taken").await;
    for (page, at_least) in [
        ("/".to_owned(), 6),
        ("/hosts".into(), 2),
        (format!("/hosts/{}", hosts[0].id), 8),
        (format!("/hosts/{}", hosts[1].id), 2),
        (format!("/flavors/{flavor}"), 5),
    ] {
        let counts = counts(&browser.get(&page).await.is(200).text);
        assert!(counts.len() >= at_least, "{page}: {counts:?}");
        for (number, list) in counts {
            assert_eq!(rows(&mut browser, &list).await, number, "{page} says {number} and leads to {list}");
        }
    }
    house.end().await;
}

#[tokio::test]
async fn a_list_of_several_phases_keeps_them_when_it_is_filtered_further() {
    let house = House::new().await;
    let mut browser = house.browser_of("vera").await;
    for (list, value, words) in [
        ("active", "releasing,removing", "releasing or removing"),
        ("existing", "failed,lost", "failed or lost"),
        ("existing", "creating,free", "creating or free"),
    ] {
        let page = browser.get(&format!("/clusters?type={list}&phase={value}")).await;
        page.is(200).has(&format!("<option value=\"{value}\" selected>{words}</option>"));
    }
    browser.get("/clusters?phase=failed").await.is(400).has("must be one or more of creating, free");
    house.end().await;
}
