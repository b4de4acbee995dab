//! What the pages of clusters show and offer, and what they ask first.

use common::model::{Cluster, Health, Metadata, Node, NodeName, NodeState, Want};

use crate::support::{House, hidden};

#[tokio::test]
async fn what_interrupts_a_user_asks_first_and_nothing_else_does() {
    let house = House::new().await;
    let host = house.add_host("h1").await;
    let held = house.add_held(&host, 0, "alice", Metadata::new()).await;
    let free = house.add_free(&host, 1).await;
    let mut browser = house.browser_of("otto").await;
    let path = |cluster: &Cluster, action: &str| format!("/clusters/{}/{action}", cluster.id);
    let wants = async |cluster: &Cluster| -> Vec<Want> {
        house.cluster(&cluster.id).await.wishes.values().map(|wish| wish.want).collect()
    };
    for action in ["stop", "restart"] {
        for (node, title) in [("", "h1_0?"), ("vp1", "vp1 of h1_0?")] {
            let answer = browser.post(&path(&held, action), &[("node", node), ("back", "/clusters?q=h1")]).await;
            assert_eq!(house.cluster(&held.id).await.version, held.version, "asking is not doing");
            let page = browser.follow(&answer).await;
            page.has(title)
                .has("<strong>alice</strong> holds it")
                .has("is interrupted")
                .has("value=\"/clusters?q=h1\"");
        }
    }
    // A page that was made while somebody else held it asks as well.
    browser.post(&path(&held, "stop"), &[("lease", "000000000000000000000000")]).await.is(303);
    assert_eq!(wants(&held).await, [Want::Running, Want::Running]);
    let lease = hidden(&browser.get(&path(&held, "stop")).await.text, "lease");
    let answer = browser.post(&path(&held, "stop"), &[("lease", &lease), ("back", "/clusters?q=h1")]).await;
    assert_eq!(answer.location(), "/clusters?q=h1");
    browser.follow(&answer).await.has("Stopping every node of h1_0 has begun.");
    assert_eq!(wants(&held).await, [Want::Stopped, Want::Stopped]);
    browser.post(&path(&held, "start"), &[]).await.is(303);
    assert_eq!(wants(&held).await, [Want::Running, Want::Running]);
    browser.post(&path(&free, "stop"), &[]).await.is(303);
    assert_eq!(wants(&free).await, [Want::Stopped, Want::Stopped], "nobody is interrupted");
    browser.get(&path(&free, "start")).await.is(404);
    browser.get(&format!("{}?node=vp9", path(&held, "stop"))).await.is(404);
    house.end().await;
}

#[tokio::test]
async fn a_stopped_cluster_says_so_and_offers_what_can_be_done_with_it() {
    let house = House::new().await;
    let host = house.add_host("h1").await;
    let free = house.add_free(&host, 0).await;
    let running = |names: &[&str]| -> Vec<(NodeName, Node)> {
        let state = |name: &str| if names.contains(&name) { NodeState::Running } else { NodeState::Exited };
        let node = |name: &str| Node { container: None, state: state(name), restarted_seq: 0 };
        ["vp0", "vp1"].map(|name| (NodeName::parse(name).unwrap(), node(name))).into()
    };
    let see = async |names: &[&str]| {
        let cluster = house.cluster(&free.id).await;
        house.store.move_cluster(&cluster, &cluster.seen(running(names), Health::Ok), None).await.unwrap();
    };
    let mut browser = house.browser_of("otto").await;
    let page = format!("/clusters/{}", free.id);
    let places = [page.clone(), "/clusters".into(), format!("/hosts/{}", host.id)];
    see(&["vp0", "vp1"]).await;
    let shown = browser.get(&page).await;
    shown.has("Stop all").has("Restart all");
    assert!(!shown.text.contains("Start all"), "all run");

    browser.post(&format!("{page}/stop"), &[("node", "vp1")]).await.is(303);
    browser.get(&page).await.has(">stopping<");
    see(&["vp0"]).await;
    browser.get(&page).await.has(">well<").has(">partly stopped<").has("Start all").has("Stop all");
    browser.post(&format!("{page}/stop"), &[]).await.is(303);
    see(&[]).await;
    for place in &places {
        assert!(
            !browser.get(place).await.has("\"state idle\">stopped<").text.contains("\"state good\">well<"),
            "{place}"
        );
    }
    let shown = browser.get(&page).await;
    assert!(!shown.has("Start all").text.contains("Stop all"), "none runs");
    house.end().await;
}

#[tokio::test]
async fn a_hosts_page_lists_its_clusters_by_slot() {
    let house = House::new().await;
    let host = house.add_host("h1").await;
    for slot in [10, 2, 0] {
        house.add_free(&host, slot).await;
    }
    house.add_cluster(&host, 7).await;
    let page = house.browser_of("vera").await.get(&format!("/hosts/{}", host.id)).await;
    let list = page.text.split("<h2>Clusters</h2>").nth(1).unwrap().split("</table>").next().unwrap();
    let places: Vec<usize> =
        ["h1_0<", "h1_2<", "h1_7<", "h1_10<"].iter().map(|name| list.find(name).expect(name)).collect();
    assert!(places.is_sorted(), "{places:?}");
    assert!(!list.contains("Host"), "which host that is stands above: {list}");
    house.end().await;
}

#[tokio::test]
async fn the_page_of_a_cluster_that_is_gone_tells_who_held_it() {
    let house = House::new().await;
    let host = house.add_host("h1").await;
    let gone = house.add_record(&host, 1, "bob").await;
    house.add_record(&host, 1, "carol").await;
    let page = house.browser_of("vera").await.get(&format!("/clusters/{}", gone.id)).await;
    page.is(404).has("Cluster h1_1 is gone").has("<strong class=\"words\">bob</strong> held it").has("released by bob");
    page.has("href=\"/clusters?type=released&amp;q=h1_1\"").has(&format!("/events?cluster={}", gone.id));
    assert!(!page.text.contains("carol"), "{}", page.text);
    house.end().await;
}
