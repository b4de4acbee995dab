//! What is on an engine and not of this pool, in JSON.

use common::model::ForeignThing;
use engine::Stranger;
use schemars::JsonSchema;
use serde::Serialize;

use super::of_model::ThingWords;

/// Something that is not of this pool.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Stranger")]
pub struct StrangerShape {
    #[serde(flatten)]
    #[schemars(with = "ThingWords")]
    thing: ForeignThing,
    /// It is part of PoolManager itself.
    poolmanager: bool,
}

/// Something that is not of this pool.
pub fn stranger(stranger: &Stranger) -> StrangerShape {
    StrangerShape { thing: stranger.thing.clone(), poolmanager: stranger.poolmanager }
}
