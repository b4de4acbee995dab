//! Images: pulled if they are not on the host, and asked for the volumes that they declare.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bollard::models::CreateImageInfo;
use bollard::query_parameters::CreateImageOptionsBuilder;
use futures_util::{Stream, StreamExt};
use tokio::time::timeout;

use super::Up;
use crate::error_map::{self, Step};
use crate::{EngineError, Progress, deadline};

/// Image to the paths for which an engine gives each of its containers an anonymous volume.
pub(super) type ImageVolumes = BTreeMap<String, Vec<String>>;

impl Up<'_> {
    /// Sees that every image is there. One after another: a pull is parallel in itself.
    pub(super) async fn images(self) -> Result<ImageVolumes, EngineError> {
        let images: BTreeSet<_> = self.project.services.iter().map(|service| service.image.as_str()).collect();
        let mut all = ImageVolumes::new();
        for image in images {
            let volumes = match self.volumes_of(image).await? {
                Some(volumes) => volumes,
                None => {
                    (self.report)(Progress::Pulling { image: image.to_owned() });
                    self.pull(image).await?;
                    // Removed again already: making a container will say so.
                    self.volumes_of(image).await?.unwrap_or_default()
                }
            };
            all.insert(image.to_owned(), volumes);
        }
        Ok(all)
    }

    /// `None` if it is not there.
    async fn volumes_of(self, image: &str) -> Result<Option<Vec<String>>, EngineError> {
        let inspect = self.at.docker().inspect_image(image);
        match self.at.call(Step("looking for image", image), deadline::LOOK, inspect).await {
            Ok(seen) => Ok(Some(seen.config.and_then(|config| config.volumes).unwrap_or_default())),
            Err(EngineError::Gone { .. }) => Ok(None),
            Err(other) => Err(other),
        }
    }

    async fn pull(self, image: &str) -> Result<(), EngineError> {
        (self.at.fence)()?;
        let options = CreateImageOptionsBuilder::default().from_image(&with_tag(image)).build();
        let stream = self.at.docker().create_image(Some(options), None, None);
        // A registry that hangs is one that is away: the next try goes on with the layers that came.
        timeout(self.at.pause(deadline::PULL), self.follow(image, stream))
            .await
            .unwrap_or_else(|_| Err(too_slow(image, "the pull took longer than", deadline::PULL)))
    }

    async fn follow(
        self,
        image: &str,
        stream: impl Stream<Item = Result<CreateImageInfo, bollard::errors::Error>>,
    ) -> Result<(), EngineError> {
        let step = Step("pulling image", image);
        let mut stream = std::pin::pin!(stream);
        loop {
            let news = timeout(self.at.pause(deadline::PULL_SILENCE), stream.next());
            match news.await {
                Ok(None) => return Ok(()),
                Ok(Some(Ok(_))) => {}
                Ok(Some(Err(error))) => {
                    let url = self.at.engine.url();
                    return Err(missing(image, error_map::explain(url, step, deadline::PULL, error)));
                }
                Err(_) => return Err(too_slow(image, "nothing came for", deadline::PULL_SILENCE)),
            }
        }
    }
}

/// A registry that refuses, has no such image or is away: all the same to whoever wants a cluster. Without a tag the
/// engine would be asked for every tag there is.
fn with_tag(image: &str) -> String {
    let name = image.rsplit('/').next().unwrap_or(image);
    if image.contains('@') || name.contains(':') { image.to_owned() } else { format!("{image}:latest") }
}

fn too_slow(image: &str, what: &str, after: Duration) -> EngineError {
    EngineError::ImageMissing { image: image.to_owned(), reason: format!("{what} {} s", after.as_secs()) }
}

/// What a failed pull means.
fn missing(image: &str, error: EngineError) -> EngineError {
    let reason = match error {
        EngineError::Refused { message, .. } => message,
        EngineError::Gone { .. } => "no registry has it, or it needs a login".to_owned(),
        other => return other,
    };
    EngineError::ImageMissing { image: image.to_owned(), reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pull_asks_for_one_tag() {
        for (image, asked) in [
            ("busybox", "busybox:latest"),
            ("busybox:1", "busybox:1"),
            ("localhost:5000/a/b", "localhost:5000/a/b:latest"),
            ("localhost:5000/a/b:2", "localhost:5000/a/b:2"),
            ("a@sha256:00", "a@sha256:00"),
        ] {
            assert_eq!(with_tag(image), asked);
        }
    }
}
