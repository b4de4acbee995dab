//! The message that is shown once, on the page after a redirect. In a cookie, signed with the session's own token,
//! so that nobody else can put words onto our pages; read and forgotten by the next page.

use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse};
use hmac::{Hmac, KeyInit, Mac};
use serde::Serialize;
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::access::removal_cookie;

const COOKIE: &str = "pm_flash";

/// Of the message; hexadecimal doubles it, and a cookie holds some 4,000 bytes.
const LONGEST: usize = 1500;

/// A message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Flash {
    /// How it is meant.
    pub tone: Tone,
    /// A sentence or two.
    pub text: String,
}

/// How a message is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Tone {
    /// It was done.
    Good,
    /// It was not.
    Bad,
}

impl Tone {
    fn letter(self) -> &'static str {
        match self {
            Tone::Good => "g",
            Tone::Bad => "b",
        }
    }
}

/// To another page, with a message for it. `secure`: the browser keeps it to https, as it does the session's cookie.
pub fn redirect(location: &str, flash: &Flash, key: &str, secure: bool) -> HttpResponse {
    let mut text = flash.text.as_str();
    while text.len() > LONGEST {
        text = text.char_indices().next_back().map_or("", |(at, _)| &text[..at]);
    }
    let words = format!("{}.{}", flash.tone.letter(), hex::encode(text));
    let value = format!("{}.{words}", sign(&words, key));
    let cookie =
        Cookie::build(COOKIE, value).path("/").http_only(true).same_site(SameSite::Lax).secure(secure).finish();
    HttpResponse::SeeOther().insert_header((header::LOCATION, location)).cookie(cookie).finish()
}

/// The message that a request brings, if it is one of ours for this session.
pub fn read(req: &HttpRequest, key: &str) -> Option<Flash> {
    let cookie = req.cookie(COOKIE)?;
    let (tag, words) = cookie.value().split_once('.')?;
    if !bool::from(tag.as_bytes().ct_eq(sign(words, key).as_bytes())) {
        return None;
    }
    let (tone, text) = words.split_once('.')?;
    let tone = if tone == Tone::Good.letter() { Tone::Good } else { Tone::Bad };
    Some(Flash { tone, text: String::from_utf8(hex::decode(text).ok()?).ok()? })
}

/// Has the browser forget the message it was shown.
pub fn forget(response: &mut HttpResponse) {
    // Fails only for a cookie that cannot be a header, which this one can.
    let _ = response.add_cookie(&removal_cookie(COOKIE));
}

fn sign(words: &str, key: &str) -> String {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("any key will do");
    mac.update(words.as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn carried(flash: &Flash, key: &str) -> Option<Flash> {
        let response = redirect("/", flash, "key", false);
        let cookie = response.cookies().next().unwrap().into_owned();
        read(&TestRequest::get().cookie(cookie).to_http_request(), key)
    }

    #[test]
    fn a_message_arrives_for_its_own_session_only() {
        let flash = Flash { tone: Tone::Bad, text: "tcp://10.0.0.9:2375: connection refused; größer".into() };
        assert_eq!(carried(&flash, "key"), Some(flash.clone()));
        assert_eq!(carried(&flash, "another"), None);
    }

    #[test]
    fn a_message_is_kept_to_https_where_the_session_is() {
        let flash = Flash { tone: Tone::Good, text: "done".into() };
        for secure in [true, false] {
            let response = redirect("/", &flash, "key", secure);
            assert_eq!(response.cookies().next().unwrap().secure().unwrap_or_default(), secure);
        }
    }

    #[test]
    fn a_long_message_is_cut_between_letters() {
        let flash = Flash { tone: Tone::Good, text: "ö".repeat(2000) };
        assert_eq!(carried(&flash, "key").map(|flash| flash.text.chars().count()), Some(750));
    }
}
