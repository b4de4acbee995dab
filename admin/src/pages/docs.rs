//! The documentation of the JSON API, laid out from its own document (`crate::api::docs`): so it says what that says.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use serde_json::Value;

use super::Ask;
use crate::access::SignedIn;
use crate::api::docs::DOCUMENT;
use crate::problem::{Kind, Problem};
use crate::server::State;

#[derive(Serialize)]
struct View {
    about: String,
    groups: Vec<GroupView>,
    types: Vec<TypeView>,
    problems: Vec<(u16, &'static str, &'static str)>,
}

#[derive(Serialize)]
struct GroupView {
    name: String,
    about: String,
    calls: Vec<CallView>,
}

#[derive(Serialize)]
struct CallView {
    id: String,
    method: String,
    path: String,
    summary: String,
    about: String,
    /// Whom it serves.
    who: String,
    parameters: Vec<FieldView>,
    body: Option<TypeView>,
    answers: Vec<AnswerView>,
    refusals: String,
    curl: String,
}

#[derive(Serialize)]
struct AnswerView {
    status: String,
    about: String,
    of: Option<String>,
}

#[derive(Clone, Serialize)]
struct TypeView {
    name: String,
    about: String,
    fields: Vec<FieldView>,
}

#[derive(Clone, Serialize)]
struct FieldView {
    name: String,
    /// Where it is: in the path, the query, a header; or nothing.
    place: String,
    kind: String,
    needed: bool,
    about: String,
    /// A type that is described below.
    of: Option<String>,
}

/// `GET /docs`
pub async fn show(req: HttpRequest, state: Data<State>, who: SignedIn) -> Result<HttpResponse, Problem> {
    Ask { req: &req, state: &state, who: &who }.page("docs.html", "API", "docs", &view(&DOCUMENT))
}

fn view(document: &Value) -> View {
    let mut groups: Vec<GroupView> = list(&document["tags"])
        .map(|tag| GroupView { name: text(&tag["name"]), about: text(&tag["description"]), calls: Vec::new() })
        .collect();
    let mut described: Vec<String> = Vec::new();
    for (path, methods) in entries(&document["paths"]) {
        for (method, call) in entries(methods) {
            let call_view = call_view(document, method, path, call);
            described.extend(call_view.body.iter().map(|body| body.name.clone()));
            let tag = &call["tags"][0];
            match groups.iter_mut().find(|group| tag == group.name.as_str()) {
                Some(group) => group.calls.push(call_view),
                // One that nobody has described yet.
                None => groups.push(GroupView { name: path.clone(), about: String::new(), calls: vec![call_view] }),
            }
        }
    }
    // What a call takes stands beside it; what is answered is below, for several calls answer the same.
    let types = entries(&document["components"]["schemas"]).filter(|(name, _)| !described.contains(name));
    View {
        about: text(&document["info"]["description"]),
        groups,
        types: types.map(|(name, schema)| type_view(name, schema)).collect(),
        problems: Kind::of_api().map(|kind| (kind.status().as_u16(), kind.as_str(), kind.when())).collect(),
    }
}

fn call_view(document: &Value, method: &str, path: &str, call: &Value) -> CallView {
    let content = &call["requestBody"]["content"]["application/json"];
    let body = reference(&content["schema"]).map(|name| {
        let mut body = type_view(&name, &document["components"]["schemas"][&name]);
        for field in &mut body.fields {
            // What may be left out may be null as well.
            field.kind = field.kind.trim_end_matches(" or null").to_owned();
        }
        body
    });
    let (problems, answers): (Vec<_>, Vec<_>) =
        entries(&call["responses"]).partition(|(_, answer)| answer["$ref"].is_string());
    let refusals: Vec<&str> = problems.iter().map(|(status, _)| status.as_str()).collect();
    CallView {
        id: text(&call["operationId"]),
        method: method.to_ascii_uppercase(),
        path: path.to_owned(),
        summary: text(&call["summary"]),
        about: text(&call["description"]),
        who: who(call),
        // The header that every change carries is told of once, at the beginning.
        parameters: list(&call["parameters"]).filter(|one| one["in"] != "header").map(parameter).collect(),
        body,
        answers: answers.into_iter().map(|(status, answer)| answer_view(status, answer)).collect(),
        refusals: refusals.join(", "),
        curl: curl(method, path, call, &content["example"]),
    }
}

fn who(call: &Value) -> String {
    match (call["x-role"].as_str(), call["security"].is_array()) {
        (Some("admin"), _) => "for the role admin".to_owned(),
        (Some(role), _) => format!("for the role {role} or a higher one"),
        (None, true) => "for whoever is signed in".to_owned(),
        (None, false) => "for anybody".to_owned(),
    }
}

fn answer_view(status: &str, answer: &Value) -> AnswerView {
    let of = reference(&answer["content"]["application/json"]["schema"]);
    AnswerView { status: status.to_owned(), about: text(&answer["description"]), of }
}

fn parameter(parameter: &Value) -> FieldView {
    let (kind, of) = kind(&parameter["schema"]);
    FieldView {
        name: text(&parameter["name"]),
        place: text(&parameter["in"]),
        kind,
        needed: parameter["required"] == true,
        about: text(&parameter["description"]),
        of,
    }
}

fn type_view(name: &str, schema: &Value) -> TypeView {
    // Of a type of several shapes, each one's fields.
    let shapes = ["oneOf", "anyOf"].into_iter().flat_map(|of| list(&schema[of]));
    let mut fields: Vec<FieldView> = Vec::new();
    for shape in std::iter::once(schema).chain(shapes) {
        let needed: Vec<&str> = list(&shape["required"]).filter_map(Value::as_str).collect();
        for (field, schema) in entries(&shape["properties"]) {
            if fields.iter().any(|known| known.name == *field) {
                continue;
            }
            let (kind, of) = kind(schema);
            fields.push(FieldView {
                name: field.clone(),
                place: String::new(),
                kind,
                needed: needed.contains(&field.as_str()),
                about: text(&schema["description"]),
                of,
            });
        }
    }
    TypeView { name: name.to_owned(), about: text(&schema["description"]), fields }
}

/// A schema in a few words, and the type that it refers to.
fn kind(schema: &Value) -> (String, Option<String>) {
    if let Some(name) = reference(schema) {
        return (name.clone(), Some(name));
    }
    let words: Vec<&str> = list(&schema["enum"]).filter_map(Value::as_str).collect();
    if !words.is_empty() {
        return (words.join(" | "), None);
    }
    if let Some(some) = list(&schema["anyOf"]).find(|some| some["type"] != "null") {
        let (words, of) = kind(some);
        return (format!("{words} or null"), of);
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one],
        many => list(many).filter_map(Value::as_str).collect(),
    };
    let word = |of: &&str| match *of {
        "array" => format!("list of {}", kind(&schema["items"]).0),
        "object" if schema["additionalProperties"].is_object() => {
            format!("{} by name", kind(&schema["additionalProperties"]).0)
        }
        "string" => "text".to_owned(),
        "boolean" => "true or false".to_owned(),
        "integer" => "whole number".to_owned(),
        other => other.to_owned(),
    };
    let words: Vec<String> = types.iter().map(word).collect();
    let of = kind_of_items(schema);
    (if words.is_empty() { "anything".to_owned() } else { words.join(" or ") }, of)
}

fn kind_of_items(schema: &Value) -> Option<String> {
    reference(&schema["items"]).or_else(|| reference(&schema["additionalProperties"]))
}

/// A call that can be pasted after those of the page's beginning.
fn curl(method: &str, path: &str, call: &Value, example: &Value) -> String {
    let action = list(&call["parameters"]).find(|parameter| parameter["name"] == "action");
    let action = action.and_then(|action| action["schema"]["enum"][0].as_str()).unwrap_or_default();
    let path = path.replace("{id}", "ID").replace("{action}", action);
    if path == "/api/v1/session" && method == "post" {
        return "see above: the answer to this call is what the others need".to_owned();
    }
    let data = if example.is_null() { String::new() } else { format!(" -d '{example}'") };
    format!("call {} {path}{data}", method.to_ascii_uppercase())
}

fn reference(schema: &Value) -> Option<String> {
    schema["$ref"].as_str()?.rsplit('/').next().map(str::to_owned)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn entries(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}
