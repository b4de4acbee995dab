//! How types of the model look in JSON, for the document alone: the model itself knows nothing of documents.

use schemars::JsonSchema;

/// How much of a flavor a mix has.
#[derive(JsonSchema)]
#[schemars(rename = "Share")]
#[allow(dead_code, reason = "described, never made")]
pub struct ShareWords {
    flavor: String,
    /// Shares of the room are as the weights are.
    weight: u32,
    /// So many are to be free before weights count.
    min_free: u32,
}

/// Something on an engine.
#[derive(JsonSchema)]
#[schemars(rename = "Thing")]
#[allow(dead_code, reason = "described, never made")]
pub struct ThingWords {
    #[schemars(extend("enum" = ["container", "network"]))]
    kind: String,
    /// The engine's id of it.
    id: String,
    name: String,
}
