//! Images: those that are there, those that a pull can bring.

use std::sync::Arc;

use super::Engine;
use crate::clock::{self, Moment};
use crate::error::{ApiError, ApiResult};
use crate::ids;
use crate::image::{PullOutcome, SimImage};

/// Every simulated image claims to be so large, in bytes.
pub(crate) const SIZE: u64 = 4_030_000;

/// An image that is there.
#[derive(Clone, Debug)]
pub(crate) struct Image {
    /// `sha256:` and 64 digits.
    pub(crate) id: Arc<str>,
    /// `name:tag`, several if it was tagged; none if the last was taken away by force.
    pub(crate) tags: Vec<String>,
    pub(crate) created: Moment,
    pub(crate) tagged: Moment,
    pub(crate) what: Arc<SimImage>,
}

/// The images of an engine and of the registry that it reaches.
#[derive(Debug, Default)]
pub(crate) struct Images {
    pub(crate) present: Vec<Image>,
    known: Vec<Arc<SimImage>>,
}

/// What a pull does.
#[derive(Debug)]
pub(crate) enum Pull {
    /// It was there.
    UpToDate,
    /// It was brought.
    Downloaded,
    /// It begins, and breaks off with this message.
    BreaksMidway(String),
}

impl Images {
    pub(crate) fn of(images: &[SimImage]) -> Self {
        let mut known: Vec<Arc<SimImage>> = Vec::new();
        for image in images {
            // Given twice, as by a default and an option: the first is meant.
            if !known.iter().any(|other| with_tag(&other.reference) == with_tag(&image.reference)) {
                known.push(Arc::new(image.clone()));
            }
        }
        let present = known.iter().filter(|image| image.pull == PullOutcome::Present).map(Image::new).collect();
        Self { present, known }
    }

    /// By `name`, `name:tag`, id, or beginning of an id.
    pub(crate) fn find(&self, wanted: &str) -> Option<&Image> {
        let full = with_tag(wanted);
        let by_tag = self.present.iter().find(|image| image.tags.contains(&full));
        by_tag.or_else(|| {
            let digits = wanted.strip_prefix("sha256:").unwrap_or(wanted);
            let is_id = digits.len() >= 4 && digits.bytes().all(|b| b.is_ascii_hexdigit());
            self.present.iter().find(|image| is_id && image.id["sha256:".len()..].starts_with(digits))
        })
    }

    fn add(&mut self, image: Image) {
        self.present.push(image);
    }
}

impl Image {
    fn new(what: &Arc<SimImage>) -> Self {
        let tag = with_tag(&what.reference);
        let now = clock::now();
        Self { id: id_of(&tag), tags: vec![tag], created: now, tagged: now, what: what.clone() }
    }
}

/// The id that follows from a reference: the same on every simulated host, as with a real image.
fn id_of(reference: &str) -> Arc<str> {
    format!("sha256:{}", ids::of(reference)).into()
}

/// `name` is `name:latest`.
pub(crate) fn with_tag(reference: &str) -> String {
    let reference = reference.strip_prefix("docker.io/library/").unwrap_or(reference);
    let reference = reference.strip_prefix("docker.io/").unwrap_or(reference);
    let last = reference.rsplit('/').next().unwrap_or(reference);
    if last.contains(':') || reference.contains('@') { reference.to_owned() } else { format!("{reference}:latest") }
}

impl Engine {
    /// Pulls an image.
    pub(crate) fn pull(&self, reference: &str) -> ApiResult<Pull> {
        let full = with_tag(reference);
        let mut state = self.state();
        if state.images.find(&full).is_some() {
            return Ok(Pull::UpToDate);
        }
        let known = state.images.known.iter().find(|image| with_tag(&image.reference) == full).cloned();
        let Some(known) = known else {
            let name = full.rsplit_once(':').map_or(full.as_str(), |(name, _)| name);
            return Err(ApiError::missing(format!(
                "pull access denied for {name}, repository does not exist or may require 'docker login': denied: requested access to the resource is denied"
            )));
        };
        if state.disk_full {
            let message = "write /var/lib/docker/tmp/GetImageBlob073418: no space left on device";
            return Ok(Pull::BreaksMidway(message.to_owned()));
        }
        if let PullOutcome::BreaksMidway(message) = &known.pull {
            return Ok(Pull::BreaksMidway(message.clone()));
        }
        state.images.add(Image::new(&known));
        drop(state);
        self.events.image(&full, "pull", full.rsplit_once(':').map_or(full.as_str(), |(name, _)| name));
        Ok(Pull::Downloaded)
    }

    /// Puts an image there, as a build would.
    pub(super) fn build_image(&self, images: &mut Images, what: SimImage) {
        if images.find(&what.reference).is_none() {
            let image = Image::new(&Arc::new(what));
            self.events.image(&image.id, "tag", &image.tags[0]);
            images.add(image);
        }
    }

    /// Gives an image a further name.
    pub(crate) fn tag_image(&self, wanted: &str, reference: &str) -> ApiResult<()> {
        let mut state = self.state();
        let missing = || ApiError::missing(format!("No such image: {wanted}"));
        let id = state.images.find(wanted).map(|image| image.id.clone()).ok_or_else(missing)?;
        let tag = with_tag(reference);
        for image in &mut state.images.present {
            image.tags.retain(|other| *other != tag);
        }
        if let Some(image) = state.images.present.iter_mut().find(|image| image.id == id) {
            image.tags.push(tag.clone());
            image.tagged = clock::now();
        }
        self.events.image(&id, "tag", &tag);
        Ok(())
    }

    /// Takes a name from an image, and the image away with its last name; says what went.
    pub(crate) fn remove_image(&self, wanted: &str, force: bool) -> ApiResult<Vec<(&'static str, String)>> {
        let mut state = self.state();
        let missing = || ApiError::missing(format!("No such image: {wanted}"));
        let image = state.images.find(wanted).ok_or_else(missing)?.clone();
        let full = with_tag(wanted);
        let by_name = image.tags.contains(&full);
        let user = state.containers.values().find(|container| container.image_id == image.id);
        let is_last = image.tags.len() <= 1 || !by_name;
        let short = ids::short(&image.id["sha256:".len()..]).to_owned();
        if let Some(user) = user.filter(|_| is_last) {
            let by = ids::short(&user.id);
            if by_name && !force {
                return Err(ApiError::conflict(format!(
                    "conflict: unable to remove repository reference \"{wanted}\" (must force) - container {by} is using its referenced image {short}"
                )));
            }
            if !by_name && (user.counts_as_running() || !force) {
                let (how, is) = if user.counts_as_running() {
                    ("cannot be forced", "running container")
                } else {
                    ("must be forced", "stopped container")
                };
                return Err(ApiError::conflict(format!(
                    "conflict: unable to delete {short} ({how}) - image is being used by {is} {by}"
                )));
            }
        }
        let gone: Vec<String> = if by_name { vec![full] } else { image.tags.clone() };
        let mut said = Vec::new();
        for tag in &gone {
            self.events.image(&image.id, "untag", &image.id);
            said.push(("Untagged", tag.clone()));
        }
        if is_last {
            self.events.image(&image.id, "delete", &image.id);
            said.push(("Deleted", image.id.to_string()));
            state.images.present.retain(|other| other.id != image.id);
        } else if let Some(kept) = state.images.present.iter_mut().find(|other| other.id == image.id) {
            kept.tags.retain(|tag| !gone.contains(tag));
        }
        Ok(said)
    }
}
