//! Named volumes of a project: found by label, else made.

use bollard::models::VolumeCreateRequest;
use futures_util::stream::{self, StreamExt, TryStreamExt};

use common::compose::VolumeSpec;

use super::{AT_ONCE, Up};
use crate::error_map::Step;
use crate::{EngineError, Progress, deadline, labels};

impl Up<'_> {
    /// Sees that every volume is there and is this cluster's.
    pub(super) async fn volumes(self) -> Result<(), EngineError> {
        // Collected before they are polled: a closure over references in the stream would make `up` no `Send` future.
        let each: Vec<_> = self.project.volumes.iter().map(|spec| self.volume(spec)).collect();
        stream::iter(each).buffer_unordered(AT_ONCE).try_collect().await
    }

    /// An engine answers a second making of a volume with the first one, whoever's it is, so the answer's labels tell
    /// whether it is ours; nothing is changed on another's.
    async fn volume(self, spec: &VolumeSpec) -> Result<(), EngineError> {
        (self.report)(Progress::Creating { name: spec.name.clone() });
        let request = VolumeCreateRequest {
            name: Some(spec.name.clone()),
            labels: Some(self.owner.on_volume(self.project, spec)),
            ..Default::default()
        };
        let create = self.at.docker().create_volume(request);
        let volume = self.at.call(Step("making volume", &spec.name), deadline::CREATE, create).await?;
        if self.is_own(&volume.labels) {
            return Ok(());
        }
        let by = labels::maker("volume", &volume.labels, self.owner);
        Err(EngineError::NameTaken { name: spec.name.clone(), by })
    }
}
