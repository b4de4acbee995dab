//! Which clusters on a host wait for an image that is being pulled.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use common::model::ClusterId;

/// Told by makings that are under way, read by the host's loop. Cheap to clone; all clones share it.
#[derive(Clone, Debug, Default)]
pub struct Pulls(Arc<Mutex<BTreeMap<ClusterId, String>>>);

impl Pulls {
    /// This image is being pulled for a cluster.
    pub fn begin(&self, cluster: &ClusterId, image: &str) {
        self.all().insert(cluster.clone(), image.to_owned());
    }

    /// The making ended.
    pub fn end(&self, cluster: &ClusterId) {
        self.all().remove(cluster);
    }

    /// The image that was pulled last for each cluster whose making is under way.
    pub fn now(&self) -> BTreeMap<ClusterId, String> {
        self.all().clone()
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<ClusterId, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
