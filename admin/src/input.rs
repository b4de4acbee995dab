//! What handlers take from a request: a form's fields, a JSON object, a query. All bounded, none of them panics.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use common::json::{self, BadObject};
use serde_json::{Map, Value};
use url::form_urlencoded;

use crate::access::Body;
use crate::operations::{Fault, Refusal};
use crate::problem::{Kind, Problem};

/// The fields of a form, the first of each name.
pub struct Form(Vec<(String, String)>);

impl Form {
    /// A field's text without space at its ends; "" when it is not there.
    pub fn text(&self, name: &str) -> &str {
        self.0.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.trim())
    }

    /// A field's text as it is.
    pub fn raw(&self, name: &str) -> &str {
        self.0.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    /// The texts of every field of this name.
    pub fn all(&self, name: &str) -> Vec<String> {
        self.0.iter().filter(|(key, _)| key == name).map(|(_, value)| value.trim().to_owned()).collect()
    }

    /// The version of what the form was made for; a form without it is nobody's.
    pub fn version(&self) -> Result<u64, Problem> {
        self.text("version").parse().map_err(|_| Problem::unreadable("The form has no version. Reload the page."))
    }

    /// Whether a box is ticked.
    pub fn ticked(&self, name: &str) -> bool {
        self.0.iter().any(|(key, _)| key == name)
    }
}

impl FromRequest for Form {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let fields = req
            .extensions()
            .get::<Body>()
            .map(|Body(bytes)| form_urlencoded::parse(bytes).into_owned().collect())
            .unwrap_or_default();
        ready(Ok(Form(fields)))
    }
}

/// A JSON object; an absent body is an empty one.
pub struct Object {
    fields: Map<String, Value>,
    /// The names that were asked for, so that whoever mistypes one is told which there are.
    asked: Vec<String>,
}

impl Object {
    fn of(fields: Map<String, Value>) -> Object {
        Object { fields, asked: Vec::new() }
    }

    fn take(&mut self, name: &str) -> Option<Value> {
        self.asked.push(name.to_owned());
        self.fields.remove(name)
    }

    /// Takes a text out. A number or anything else is refused; `null` counts as absent.
    pub fn text(&mut self, name: &str) -> Result<Option<String>, Fault> {
        match self.take(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(Fault::new(name, "must be a text")),
        }
    }

    /// Takes a whole number out.
    pub fn number(&mut self, name: &str) -> Result<Option<u64>, Fault> {
        match self.take(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => value.as_u64().map(Some).ok_or_else(|| Fault::new(name, "must be a whole number")),
        }
    }

    /// Takes a list out.
    pub fn list(&mut self, name: &str) -> Result<Option<Vec<Value>>, Fault> {
        match self.take(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Array(list)) => Ok(Some(list)),
            Some(_) => Err(Fault::new(name, "must be a list")),
        }
    }

    /// Takes a yes or no out.
    pub fn truth(&mut self, name: &str) -> Result<Option<bool>, Fault> {
        match self.take(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Bool(truth)) => Ok(Some(truth)),
            Some(_) => Err(Fault::new(name, "must be true or false")),
        }
    }

    /// Refuses whatever was not taken out.
    pub fn nothing_else(self, faults: &mut Vec<Fault>) {
        for name in self.fields.keys().take(10) {
            let name: String = name.chars().take(64).collect();
            let there = if self.asked.is_empty() { "none".to_owned() } else { self.asked.join(", ") };
            faults.push(Fault::new(&name, format!("is not a field of this request; there are {there}")));
        }
    }

    /// The same, where nothing else can be at fault.
    pub fn end(self) -> Result<(), Refusal> {
        let mut faults = Vec::new();
        self.nothing_else(&mut faults);
        if faults.is_empty() { Ok(()) } else { Err(Refusal::Faults(faults)) }
    }
}

impl FromRequest for Object {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(object(req))
    }
}

fn object(req: &HttpRequest) -> Result<Object, Problem> {
    let extensions = req.extensions();
    let bytes = match extensions.get::<Body>() {
        Some(Body(bytes)) if !bytes.is_empty() => bytes,
        _ => return Ok(Object::of(Map::new())),
    };
    let kind = req.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json") {
        return Err(Problem::new(Kind::NotJson, "Send JSON, with the header Content-Type: application/json."));
    }
    json::object(bytes).map(Object::of).map_err(|bad| match bad {
        BadObject::Twice(name) => Refusal::field(&name, "is given twice").into(),
        BadObject::NotObject => Problem::unreadable("The body must be a JSON object."),
        BadObject::NotJson(error) => Problem::unreadable(format!("The body is not JSON: {error}.")),
    })
}

/// The query of a URL.
pub struct Query(Vec<(String, String)>);

impl Query {
    /// A parameter's value, without the blanks around it that pasting brings; `None` when it is absent or empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
    }

    /// Refuses parameters that are not among these: a mistyped filter would else show everything.
    pub fn only(&self, names: &[&str]) -> Result<(), Refusal> {
        match self.0.iter().find(|(key, _)| !names.contains(&key.as_str())) {
            None => Ok(()),
            Some((key, _)) => {
                let key: String = key.chars().take(64).collect();
                let there = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
                Err(Refusal::field(&key, format!("is not a parameter here; there are {there}")))
            }
        }
    }
}

impl Query {
    /// Takes what comes after `?`.
    pub fn parse(text: &str) -> Query {
        Query(form_urlencoded::parse(text.as_bytes()).into_owned().collect())
    }

    /// The same as a text, in one form for all that mean the same.
    pub fn canonical(&self) -> String {
        let mut pairs: Vec<_> = self.0.iter().filter(|(_, value)| !value.is_empty()).collect();
        // Of two with one name the first counts, so these keep their order.
        pairs.sort_by_key(|(name, _)| name);
        pairs.dedup_by_key(|(name, _)| name);
        form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
    }
}

impl FromRequest for Query {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Query::parse(req.query_string())))
    }
}
