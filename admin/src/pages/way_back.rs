//! Where a page that asks something leads back to: the list that it was opened from, with its filters. The address of that list
//! comes with the request (`back=`), so it is somebody's word, and leads to pages of ours alone.

use actix_web::{HttpMessage, HttpRequest};
use url::form_urlencoded;

use crate::access::Body;
use crate::input::Form;

/// A list with all its filters is shorter.
const LONGEST: usize = 2_000;

/// The address if it is a page of ours. What a browser, or a proxy that mends paths, might read as another site (`//evil`,
/// `/\evil`, `/..//evil`, with tabs in between or written in hexadecimal) is none of ours.
pub fn own_page(asked: &str) -> Option<&str> {
    let path = asked.split(['?', '#']).next().unwrap_or_default();
    let own = path.starts_with('/')
        && asked.len() <= LONGEST
        && asked.bytes().all(|b| b.is_ascii_graphic() && b != b'\\')
        // None of our paths has anything else in it.
        && path.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'-' | b'_' | b'.'))
        && !path.contains("//")
        && path.split('/').all(|part| !matches!(part, "." | ".."))
        && !path.starts_with("/login");
    own.then_some(asked)
}

/// Where a form that was carried out leads: back, else to the usual place.
pub fn back(fields: &Form, usual: &str) -> String {
    own_page(fields.text("back")).unwrap_or(usual).to_owned()
}

/// The same when the thing itself is gone: its own page is not led back to. `list` is the list of all, and its usual place.
pub fn back_to_list(fields: &Form, list: &str) -> String {
    let of_one = |page: &str| page.strip_prefix(list).is_some_and(|rest| rest.starts_with('/'));
    own_page(fields.text("back")).filter(|page| !of_one(page)).unwrap_or(list).to_owned()
}

/// Where the page that a request asks for leads back to; empty: to its usual place. A form that is refused keeps it.
pub fn of_request(req: &HttpRequest) -> String {
    let of = |pairs: &[u8]| {
        let back = form_urlencoded::parse(pairs).find(|(name, _)| name == "back")?;
        own_page(back.1.trim()).map(str::to_owned)
    };
    let in_form = || of(&req.extensions().get::<Body>()?.0);
    of(req.query_string().as_bytes()).or_else(in_form).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::own_page;

    #[test]
    fn only_pages_of_ours_are_led_to() {
        for own in [
            "/",
            "/hosts",
            "/clusters?type=inused&after=0123",
            "/hosts/0123456789abcdef01234567",
            "/clusters?q=a//b/..%2F",
        ] {
            assert_eq!(own_page(own), Some(own));
        }
        let long = format!("/clusters?q={}", "a".repeat(2_000));
        for foreign in [
            "",
            "hosts",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "/..//evil.example",
            "/.//evil.example",
            "/hosts/../..//evil.example",
            "/hosts//evil.example",
            "/%2e%2e//evil.example",
            "/%2fevil.example",
            "/%5cevil.example",
            "/hosts/..",
            "https://evil.example",
            "javascript:alert(1)",
            "/hosts\r\nSet-Cookie: a=b",
            " /hosts",
            "/login",
            &long,
        ] {
            assert_eq!(own_page(foreign), None, "{foreign:?}");
        }
    }
}
