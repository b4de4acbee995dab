//! Whether a request that changes something came from our own pages, as far as the browser says.
//!
//! Beside the token in every form: a browser tells with `Sec-Fetch-Site` and `Origin` who made it send a request.
//! A program sends neither, which is fine: it has no cookies that somebody else could make it use.

use actix_web::http::header::{HOST, HeaderMap, ORIGIN};
use url::Url;

/// Whether the headers allow a change.
pub fn is_own(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let site_is_own = text("sec-fetch-site").is_none_or(|site| matches!(site, "same-origin" | "none"));
    let origin_is_own = text(ORIGIN.as_str()).is_none_or(|origin| {
        let host = text(HOST.as_str()).unwrap_or_default();
        match (Url::parse(origin), Url::parse(&format!("http://{host}"))) {
            (Ok(origin), Ok(own)) => {
                // Compared with the scheme's own default port left out on either side, because a proxy that ends TLS
                // leaves us with a Host that does not tell the scheme.
                let port = |url: &Url| url.port().filter(|port| *port != 443 && *port != 80);
                origin.host_str().is_some() && origin.host_str() == own.host_str() && port(&origin) == port(&own)
            }
            _ => false,
        }
    });
    site_is_own && origin_is_own
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::{HeaderName, HeaderValue};

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.insert(HeaderName::try_from(*name).unwrap(), HeaderValue::from_str(value).unwrap());
        }
        map
    }

    #[test]
    fn our_own_pages_and_programs_may_change_things() {
        for own in [
            &[("host", "pool.example:8080")][..],
            &[("host", "pool.example:8080"), ("origin", "http://pool.example:8080")],
            &[("host", "pool.example"), ("origin", "https://pool.example"), ("sec-fetch-site", "same-origin")],
            &[("host", "pool.example:443"), ("origin", "https://pool.example")],
            &[("host", "[::1]:8080"), ("origin", "http://[::1]:8080")],
        ] {
            assert!(is_own(&headers(own)), "{own:?}");
        }
    }

    #[test]
    fn other_sites_may_not() {
        for foreign in [
            &[("host", "pool.example"), ("origin", "https://evil.example")][..],
            &[("host", "pool.example"), ("origin", "https://pool.example:8443")],
            &[("host", "pool.example"), ("origin", "null")],
            &[("host", "pool.example"), ("origin", "")],
            &[("host", "pool.example"), ("sec-fetch-site", "cross-site")],
            &[("host", "pool.example"), ("sec-fetch-site", "same-site")],
            &[("origin", "https://pool.example")],
        ] {
            assert!(!is_own(&headers(foreign)), "{foreign:?}");
        }
    }
}
