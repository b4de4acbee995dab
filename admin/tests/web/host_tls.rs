//! The page of a host's credentials, as far as no daemon is needed for it.

use crate::support::House;

#[tokio::test]
async fn without_a_key_the_page_says_what_to_set() {
    let house = House::new().await;
    let host = house.add_host("h1").await;
    let path = format!("/hosts/{}/tls", host.id);
    let page = house.browser_of("otto").await.get(&path).await;
    page.is(200).has("SEAL_KEY is not set for admin").has("openssl rand -hex 32").has("Plain TCP is root");
    assert!(!page.text.contains("<textarea"), "{}", page.text);
    house.browser_of("vera").await.get(&path).await.is(403);
    house.end().await;
}
