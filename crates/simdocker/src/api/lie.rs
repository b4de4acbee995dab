//! The answers of an engine that says it did what it did not.

use futures_util::stream;
use serde_json::{Value, json};

use super::Call;
use super::reply::{self, Reply};
use crate::clock;
use crate::ids;

/// The lie for a call. `None`: there is no good one, so the call is carried out.
pub(crate) fn lie(call: &Call) -> Option<Reply> {
    let id = || ids::fresh().to_string();
    let body = || serde_json::from_str::<Value>(&call.body).unwrap_or_default();
    Some(match (call.method.as_str(), call.path().as_slice()) {
        ("GET", ["containers" | "images", "json"] | ["networks"]) => reply::json(200, &json!([])),
        ("GET", ["volumes"]) => reply::json(200, &json!({"Volumes": [], "Warnings": null})),
        ("POST", ["containers", "create"]) => reply::json(201, &json!({"Id": id(), "Warnings": []})),
        ("POST", ["networks", "create"]) => reply::json(201, &json!({"Id": id(), "Warning": ""})),
        ("POST", ["volumes", "create"]) => {
            let name = body()["Name"].as_str().map_or_else(id, str::to_owned);
            let value = json!({
                "CreatedAt": clock::now().rfc3339_seconds(), "Driver": "local", "Labels": body()["Labels"],
                "Mountpoint": format!("/var/lib/docker/volumes/{name}/_data"), "Name": name, "Options": null,
                "Scope": "local",
            });
            reply::json(201, &value)
        }
        ("POST", ["images", "create"]) => {
            let line = format!("{}\r\n", json!({"status": "Status: Downloaded newer image"}));
            reply::json_stream(stream::iter([line]))
        }
        ("POST", ["images", .., "tag"]) => reply::empty(201),
        ("POST", ["networks", _, "connect" | "disconnect"]) => reply::empty(200),
        ("POST", ["containers", _, "start" | "stop" | "restart" | "kill" | "pause" | "unpause"]) => reply::empty(204),
        ("DELETE", ["images", ..]) => reply::json(200, &json!([])),
        ("DELETE", _) => reply::empty(204),
        _ => return None,
    })
}
