//! What pages load: where it is, for how long it may be kept, and that nothing but it can be loaded.

use std::collections::BTreeSet;

use crate::support::{Browser, House};

/// The addresses that a page names below `/assets/`, without fragments.
fn addresses(page: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for part in page.split("\"/assets/").skip(1) {
        let address = part.split(['"', '#']).next().unwrap();
        found.insert(format!("/assets/{address}"));
    }
    found
}

#[tokio::test]
async fn what_pages_load_is_there_at_an_address_that_changes_with_it() {
    let house = House::new().await;
    let mut nobody = Browser::new(&house.url);
    let mut browser = house.browser_of("ada").await;
    let page = browser.get("/hosts/new").await;
    let all = addresses(&page.text);
    let names: Vec<&str> = all.iter().map(|one| one["/assets/".len()..].split('?').next().unwrap()).collect();
    assert_eq!(names, ["app.css", "app.js", "favicon.svg", "icons.svg"]);
    for address in &all {
        let answer = nobody.get(address).await;
        let kind = match address {
            one if one.contains(".css") => "text/css; charset=utf-8",
            one if one.contains(".js") => "text/javascript; charset=utf-8",
            _ => "image/svg+xml",
        };
        assert_eq!(answer.is(200).header("content-type"), kind, "{address}");
        assert_eq!(answer.header("cache-control"), "public, max-age=31536000, immutable", "{address}");
    }
    house.end().await;
}

#[tokio::test]
async fn an_address_without_its_hash_or_with_another_is_not_kept() {
    let house = House::new().await;
    let mut nobody = Browser::new(&house.url);
    for address in ["/assets/app.css", "/assets/app.css?v=0123456789abcdef"] {
        let answer = nobody.get(address).await;
        assert_eq!(answer.is(200).header("cache-control"), "no-cache");
        nobody.headers = vec![("if-none-match", answer.header("etag").to_owned())];
        let again = nobody.get(address).await;
        assert_eq!(again.is(304).text, "");
        nobody.headers.clear();
    }
    house.end().await;
}

#[tokio::test]
async fn assets_are_sent_in_the_smallest_form_that_the_browser_reads() {
    let house = House::new().await;
    let mut nobody = Browser::new(&house.url);
    let whole = nobody.get("/assets/app.css").await;
    assert_eq!(whole.header("content-encoding"), "");
    let mut lengths = vec![whole.header("content-length").parse::<usize>().unwrap()];
    for (accepted, sent) in [("gzip", "gzip"), ("gzip, deflate, br, zstd", "br"), ("br;q=0, *;q=0", "")] {
        nobody.headers = vec![("accept-encoding", accepted.to_owned())];
        let answer = nobody.get("/assets/app.css").await;
        assert_eq!(answer.is(200).header("content-encoding"), sent, "{accepted}");
        assert_eq!(answer.header("vary"), "Accept-Encoding");
        assert_eq!(answer.header("content-type"), "text/css; charset=utf-8");
        lengths.push(answer.header("content-length").parse().unwrap());
    }
    assert!(lengths[0] > 4 * lengths[1] && lengths[1] > lengths[2] && lengths[3] == lengths[0], "{lengths:?}");
    house.end().await;
}

#[tokio::test]
async fn nothing_else_is_below_assets() {
    let house = House::new().await;
    let mut nobody = Browser::new(&house.url);
    for nothing in [
        "/assets/",
        "/assets/none.css",
        "/assets/app.css.br",
        "/assets/app.css.gz",
        "/assets/..%2fsrc%2fapp.css",
        "/assets/..%2fCargo.toml",
        "/assets/%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    ] {
        nobody.get(nothing).await.is(404);
    }
    house.end().await;
}

#[tokio::test]
async fn a_page_may_load_and_call_only_what_is_ours() {
    let house = House::new().await;
    let answer = Browser::new(&house.url).get("/login").await;
    let policy: BTreeSet<&str> = answer.header("content-security-policy").split("; ").collect();
    let expected = [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ];
    assert_eq!(policy, BTreeSet::from(expected));
    house.end().await;
}
