//! Which flavors will do for what a caller names.

use common::compose::Catalog;
use common::model::FlavorId;

/// Which of the three words names nothing that there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// No flavor has this consensus plugin.
    Plugin,
    /// No flavor has this consensus mode.
    Mode,
    /// Not a number, or no flavor has this size.
    Size,
}

/// The flavors that fit; `None` means any. None at all when each word is known and nothing has all of them.
///
/// A mode is passed over with a plugin that has no modes, as the old service did: `noops` with `batch` is `noops`.
pub fn choose(
    catalog: &Catalog,
    plugin: Option<&str>,
    mode: Option<&str>,
    size: Option<&str>,
) -> Result<Vec<FlavorId>, Wrong> {
    let flavors = catalog.flavors();
    if plugin.is_some_and(|plugin| !flavors.iter().any(|flavor| flavor.consensus_plugin() == plugin)) {
        return Err(Wrong::Plugin);
    }
    let modeless = |plugin: &str| {
        flavors
            .iter()
            .filter(|flavor| flavor.consensus_plugin() == plugin)
            .all(|flavor| flavor.consensus_mode().is_empty())
    };
    let mode = if plugin.is_some_and(modeless) { None } else { mode };
    if mode.is_some_and(|mode| !flavors.iter().any(|flavor| flavor.consensus_mode() == mode)) {
        return Err(Wrong::Mode);
    }
    let size = match size.map(str::parse::<u32>) {
        None => None,
        Some(Ok(size)) if flavors.iter().any(|flavor| flavor.size == size) => Some(size),
        Some(_) => return Err(Wrong::Size),
    };
    Ok(catalog.matching(plugin, mode, size))
}
