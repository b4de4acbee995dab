//! What a request brings to be known by: `Authorization: Bearer pm_...`, else `access_token` in the query, for clients
//! that can set no header.

use actix_web::http::header::{AUTHORIZATION, HeaderMap};
use common::model::TokenText;

/// The parameter; no answer and no log repeats it.
pub const PARAMETER: &str = "access_token";

/// What a request brings.
#[derive(Debug, PartialEq, Eq)]
pub enum Given {
    /// No token.
    Nothing,
    /// Something in a token's place that is none of ours.
    Nonsense,
    /// A token, as far as its shape goes.
    Token(TokenText),
}

impl Given {
    /// The header wins. One for another scheme (a proxy's own) is passed over.
    pub fn by(headers: &HeaderMap, query: &str) -> Given {
        let header = headers.get(AUTHORIZATION).map(|value| value.to_str().unwrap_or("?"));
        let bearer = header.and_then(|text| {
            let (scheme, rest) = text.split_once(' ').unwrap_or((text, ""));
            scheme.eq_ignore_ascii_case("bearer").then(|| rest.trim())
        });
        if let Some(text) = bearer {
            return Given::text(text);
        }
        let parameter = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == PARAMETER);
        parameter.filter(|(_, text)| !text.is_empty()).map_or(Given::Nothing, |(_, text)| Given::text(&text))
    }

    fn text(text: &str) -> Given {
        TokenText::parse(text).map_or(Given::Nonsense, Given::Token)
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    #[test]
    fn a_token_comes_in_the_header_or_else_in_the_query() {
        let (one, other) = (TokenText::random(), TokenText::random());
        let by = |header: &str, query: &str| {
            let mut headers = HeaderMap::new();
            if !header.is_empty() {
                headers.insert(AUTHORIZATION, HeaderValue::from_str(header).unwrap());
            }
            Given::by(&headers, query)
        };
        let bearer = format!("Bearer {}", one.expose());
        let query = format!("user_id=a&access_token={}", other.expose());
        let is = |token: &TokenText| Given::Token(token.clone());
        assert_eq!(by(&bearer, ""), is(&one));
        assert_eq!(by(&bearer.replace("Bearer", "bearer"), ""), is(&one));
        assert_eq!(by("", &query), is(&other));
        assert_eq!(by(&bearer, &query), is(&one), "the header wins");
        assert_eq!(by("Bearer nonsense", &query), Given::Nonsense, "and is not passed over for being wrong");
        assert_eq!(by("Bearer", &query), Given::Nonsense);
        assert_eq!(by("Basic YTpi", &query), is(&other));
        assert_eq!(by("", "access_token=x"), Given::Nonsense);
        for nothing in ["", "access_token=", "user_id=a", "token=x"] {
            assert_eq!(by("", nothing), Given::Nothing, "{nothing}");
        }
    }
}
