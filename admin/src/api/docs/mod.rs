//! The document of the JSON API: OpenAPI 3.1, put together from the table of routes (which paths and roles there are), from the
//! types that are answered (their schemas, by schemars) and from a few words for each route. A test keeps the three together.

mod access;
mod bodies;
mod clusters;
mod hosts;
mod measured;
mod op;
mod others;
mod problems;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use actix_web::HttpResponse;
use actix_web::http::Method;
use schemars::SchemaGenerator;
use schemars::generate::{Contract, SchemaSettings};
use serde_json::{Map, Value, json};

use self::op::{Op, Param};
use crate::access::{Needs, role_name};
use crate::problem::Kind;
use crate::routes::{self, Entry};

/// A name of a group, and what is in it.
type Group = (&'static str, &'static str, fn() -> Vec<Op>);

/// The parts of the document, in its order.
const GROUPS: [Group; 10] = [
    ("Session", "Signing in and out.", others::session),
    ("Own sessions", "Where the caller is signed in, and her password.", access::own),
    ("Pool", "The pool as a whole.", others::pool),
    ("Hosts", "Docker engines that clusters run on, and what is done with them as a whole.", hosts::hosts),
    ("Clusters", "Networks that run, are being made, or failed.", clusters::clusters),
    ("Records", "What stays of leases that ended.", clusters::records),
    ("Flavors", "What clusters can be.", clusters::flavors),
    ("Events", "What happened, and why.", others::events),
    (
        "Statistics",
        "What clusters and hosts use, what the pool has, and what users were told, over time.",
        measured::measured,
    ),
    ("Access", "Who may sign in, and tokens for the users' service.", access::access),
];

const ABOUT: &str = "The operations of the pages as JSON. Sign in first: the answer brings a cookie, and a token that every change \
                     carries in the header `X-CSRF-Token`. Unknown fields and parameters are refused. Times are RFC 3339 in UTC. \
                     Lists are `{\"items\": [...], \"next\": ...}`: `next` is what to pass as `after` for the next part, null at \
                     the end. Errors are `application/problem+json`.";

/// The document.
pub static DOCUMENT: LazyLock<Value> = LazyLock::new(|| document(&routes::table()));

/// `GET /openapi.json`
pub async fn openapi() -> HttpResponse {
    HttpResponse::Ok().json(&*DOCUMENT)
}

/// The document of a table of routes. What has no words is in it all the same.
fn document(table: &[Entry]) -> Value {
    let mut given = generator(Contract::Deserialize);
    let mut answered = generator(Contract::Serialize);
    let _problem = answered.subschema_for::<problems::ProblemWords>();
    let ops: Vec<Op> =
        GROUPS.iter().flat_map(|(group, _, ops)| ops().into_iter().map(|op| Op { group, ..op })).collect();
    let mut paths = Map::new();
    for entry in table.iter().filter(|entry| entry.path.starts_with("/api/")) {
        let op = ops.iter().find(|op| op.method == entry.method && op.path == entry.path);
        let words = operation(entry, op, &mut given, &mut answered);
        let path = paths.entry(entry.path).or_insert_with(|| json!({}));
        path[entry.method.as_str().to_ascii_lowercase()] = words;
    }
    let mut schemas = given.take_definitions(true);
    schemas.extend(answered.take_definitions(true));
    let tags: Vec<Value> = GROUPS.iter().map(|(name, about, _)| json!({"name": name, "description": about})).collect();
    json!({
        "openapi": "3.1.0",
        "info": {"title": "PoolManager, for operators", "version": env!("CARGO_PKG_VERSION"), "description": ABOUT},
        "servers": [{"url": "/"}],
        "tags": tags,
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": problem_responses(),
            "securitySchemes": {
                "session": {"type": "apiKey", "in": "cookie", "name": crate::access::SESSION_COOKIE},
            },
        },
    })
}

/// Names and places of schemas as OpenAPI wants them. What is answered is described as it is written, what is given as it is read.
fn generator(contract: Contract) -> SchemaGenerator {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
        settings.contract = contract;
    });
    settings.into_generator()
}

fn operation(entry: &Entry, op: Option<&Op>, given: &mut SchemaGenerator, answered: &mut SchemaGenerator) -> Value {
    let changes = entry.method != Method::GET;
    let mut words = json!({"responses": {}});
    let mut parameters = path_parameters(entry.path, op.map_or(&[], |op| op.actions));
    if let Needs::Role(_) | Needs::SignedIn = entry.needs {
        words["security"] = json!([{"session": []}]);
        if let Needs::Role(role) = entry.needs {
            words["x-role"] = role_name(role).into();
        }
        if changes {
            parameters.push(json!({
                "name": "X-CSRF-Token", "in": "header", "required": true, "schema": {"type": "string"},
                "description": "`csrf_token` of the session",
            }));
        }
    }
    for status in problem_statuses(entry, changes) {
        words["responses"][status.to_string()] = json!({"$ref": format!("#/components/responses/Problem{status}")});
    }
    if let Some(op) = op {
        words["tags"] = json!([op.group]);
        words["operationId"] = op.id.into();
        words["summary"] = op.summary.into();
        if !op.about.is_empty() {
            words["description"] = op.about.into();
        }
        parameters.extend(op.query.iter().map(query_parameter));
        if let Some((of_type, example)) = &op.body {
            let schema = of_type(given);
            let content = json!({"application/json": {"schema": schema, "example": example}});
            words["requestBody"] = json!({"content": content});
        }
        for answer in &op.answers {
            let mut response = json!({"description": answer.about});
            if let Some(of_type) = answer.body {
                response["content"] = json!({"application/json": {"schema": of_type(answered)}});
            }
            words["responses"][answer.status.to_string()] = response;
        }
    }
    words["parameters"] = parameters.into();
    words
}

fn path_parameters(path: &str, actions: &[&str]) -> Vec<Value> {
    let names = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    names
        .map(|name| {
            let mut schema = json!({"type": "string"});
            if name == "action" {
                schema["enum"] = json!(actions);
            }
            json!({"name": name, "in": "path", "required": true, "schema": schema})
        })
        .collect()
}

fn query_parameter(param: &Param) -> Value {
    let mut schema = json!({"type": "string"});
    // Several of the words are a text of their own.
    let several = ["kind", "phase"].contains(&param.name);
    if !param.words.is_empty() && !several {
        schema["enum"] = json!(param.words);
    }
    let about = if several { format!("{}: {}", param.about, param.words.join(", ")) } else { param.about.to_owned() };
    json!({"name": param.name, "in": "query", "schema": schema, "description": about})
}

/// The statuses that a route may refuse with, beside those that any may: 405, 408, 500.
fn problem_statuses(entry: &Entry, changes: bool) -> Vec<u16> {
    let of_role: &[u16] =
        if matches!(entry.needs, Needs::Role(_) | Needs::SignedIn) { &[401, 403] } else { &[401, 429] };
    let of_id: &[u16] = if entry.path.contains('{') { &[404] } else { &[] };
    let of_kind: &[u16] = if changes { &[400, 409, 413, 415, 422, 503] } else { &[422, 503] };
    let of_followed: &[u16] = match entry.path {
        "/api/v1/clusters/{id}/logs" => &[409, 429],
        "/api/v1/events/tail" => &[429],
        _ => &[],
    };
    let mut all = [of_role, of_id, of_kind, of_followed].concat();
    all.sort_unstable();
    all
}

/// One for each status, with all that it may mean.
fn problem_responses() -> Value {
    let mut told: BTreeMap<u16, Vec<String>> = BTreeMap::new();
    for kind in Kind::of_api() {
        told.entry(kind.status().as_u16()).or_default().push(format!("{} (`{}`)", kind.when(), kind.as_str()));
    }
    let mut responses = Map::new();
    for (status, words) in told {
        let content = json!({"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}});
        let words = json!({"description": words.join(" "), "content": content});
        responses.insert(format!("Problem{status}"), words);
    }
    responses.into()
}
