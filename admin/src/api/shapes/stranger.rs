//! What is on an engine and not of this pool, in JSON.

use common::model::ForeignThing;
use engine::Stranger;
use serde::Serialize;

/// Something that is not of this pool.
#[derive(Serialize)]
pub struct StrangerShape {
    #[serde(flatten)]
    thing: ForeignThing,
    /// It is part of PoolManager itself.
    poolmanager: bool,
}

/// Something that is not of this pool.
pub fn stranger(stranger: &Stranger) -> StrangerShape {
    StrangerShape { thing: stranger.thing.clone(), poolmanager: stranger.poolmanager }
}
