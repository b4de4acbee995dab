//! Rules of where old parameters are read from.

use actix_web::ResponseError;

use super::Params;

const FORM: &str = "application/x-www-form-urlencoded";

fn get(query: &str, content_type: &str, body: &str, name: &str) -> Option<String> {
    let params = Params::parse(query, content_type, body.as_bytes()).unwrap();
    params.given(name).unwrap().map(|text| text.into_owned())
}

#[test]
fn the_query_wins_over_the_body() {
    assert_eq!(get("a=1", FORM, "a=2", "a").as_deref(), Some("1"));
    assert_eq!(get("a=1", "application/json", r#"{"a": 2}"#, "a").as_deref(), Some("1"));
    assert_eq!(get("b=1", FORM, "a=2", "a").as_deref(), Some("2"));
}

#[test]
fn the_first_of_two_wins() {
    assert_eq!(get("a=1&a=2", "", "", "a").as_deref(), Some("1"));
}

#[test]
fn a_name_twice_in_json_is_refused_by_its_name() {
    for body in [r#"{"user_id": "a", "user_id": "b"}"#, r#"{"user_id": "a", "x": {"y": 1, "y": 2}}"#] {
        let failure = Params::parse("", "application/json", body.as_bytes()).unwrap_err();
        assert_eq!(failure.status_code(), 400);
        assert!(failure.to_string().ends_with(" is given twice"), "{failure}");
    }
}

#[test]
fn values_may_be_texts_numbers_or_truth_values() {
    for (json, text) in [("\"4\"", "4"), ("4", "4"), ("true", "true"), ("\"用户\"", "用户")] {
        assert_eq!(get("", "application/json", &format!("{{\"a\": {json}}}"), "a").as_deref(), Some(text));
    }
    assert_eq!(get("", "application/json", r#"{"a": null}"#, "a"), None);
    assert_eq!(get("a=%E7%94%A8+x", "", "", "a").as_deref(), Some("用 x"));
}

#[test]
fn json_is_known_by_its_brace_whatever_it_is_called() {
    for content_type in ["", FORM, "text/plain", "application/json; charset=utf-8"] {
        assert_eq!(get("", content_type, r#" {"a": 1}"#, "a").as_deref(), Some("1"), "{content_type}");
    }
}

#[test]
fn an_empty_body_of_any_type_has_no_parameters() {
    for content_type in ["", FORM, "application/json", "text/plain"] {
        assert_eq!(get("", content_type, " ", "a"), None);
    }
}

#[test]
fn an_empty_value_is_given_but_not_filled() {
    let params = Params::parse("a=", "", b"").unwrap();
    assert_eq!(params.given("a").unwrap().as_deref(), Some(""));
    assert_eq!(params.filled("a").unwrap(), None);
}

#[test]
fn what_cannot_be_read_is_refused_with_400_and_a_text() {
    for (content_type, body) in [
        ("application/json", "{"),
        ("application/json", "[1]"),
        ("application/json", "a=1"),
        ("application/json", "\u{0}"),
        ("text/plain", "hello"),
        ("multipart/form-data; boundary=x", "--x--"),
    ] {
        let failure = Params::parse("", content_type, body.as_bytes()).unwrap_err();
        assert_eq!(failure.status_code(), 400, "{body}");
        assert!(!failure.to_string().is_empty());
    }
}

#[test]
fn nested_values_and_broken_text_are_refused_where_they_are_asked_for() {
    let params = Params::parse("b=%ff", "application/json", br#"{"a": {"$ne": ""}}"#).unwrap();
    assert!(params.given("a").is_err(), "a filter must never reach a database as it came");
    assert!(params.given("b").is_err(), "two texts that are no UTF-8 must not become one");
}

#[test]
fn yes_and_no_are_read_strictly() {
    let truth = |text: &str| Params::parse(&format!("a={text}"), "", b"").unwrap().truth("a");
    for yes in ["true", "True", "TRUE", "1", "yes", "on"] {
        assert_eq!(truth(yes).unwrap(), Some(true), "{yes}");
    }
    for no in ["false", "False", "FALSE", "0", "no", "off"] {
        assert_eq!(truth(no).unwrap(), Some(false), "{no}");
    }
    assert_eq!(truth("").unwrap(), None);
    assert_eq!(truth("maybe").unwrap_err().to_string(), "Invalid a");
}
