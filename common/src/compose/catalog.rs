//! All templates that there are, and the flavors that they offer.

use std::collections::BTreeMap;

use super::{ComposeError, Placement, Project, Template, TemplateError};
use crate::model::{Flavor, FlavorId, TemplateId};

/// What a deployment chooses for its templates.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CatalogSettings {
    /// What `${NAME}` in a template stands for. The process's environment is not read.
    pub variables: BTreeMap<String, String>,
}

/// Templates, and the flavors that they offer.
#[derive(Clone, Debug)]
pub struct Catalog {
    templates: BTreeMap<TemplateId, Template>,
    flavors: Vec<Flavor>,
}

impl Catalog {
    /// The templates that ship with the program. Every flavor is planned once, so that what is wrong is said now.
    pub fn shipped(settings: &CatalogSettings) -> Result<Catalog, TemplateError> {
        Self::of(Vec::new(), settings)
    }

    /// These templates, checked likewise.
    pub fn of(_templates: Vec<Template>, _settings: &CatalogSettings) -> Result<Catalog, TemplateError> {
        Ok(Self { templates: BTreeMap::new(), flavors: Vec::new() })
    }

    /// Every flavor, each template's default first; always in the same order.
    pub fn flavors(&self) -> &[Flavor] {
        &self.flavors
    }

    /// The flavor of that name.
    pub fn flavor(&self, id: &FlavorId) -> Option<&Flavor> {
        self.flavors.iter().find(|flavor| flavor.id == *id)
    }

    /// The template of that name.
    pub fn template(&self, id: &TemplateId) -> Option<&Template> {
        self.templates.get(id)
    }

    /// The flavors with this consensus plugin, mode and size, in [`Self::flavors`]' order; `None` means any.
    pub fn matching(&self, plugin: Option<&str>, mode: Option<&str>, size: Option<u32>) -> Vec<FlavorId> {
        let fits = |flavor: &&Flavor| {
            plugin.is_none_or(|p| flavor.consensus_plugin() == p)
                && mode.is_none_or(|m| flavor.consensus_mode() == m)
                && size.is_none_or(|s| flavor.size == s)
        };
        self.flavors.iter().filter(fits).map(|flavor| flavor.id.clone()).collect()
    }

    /// What to bring up for a flavor in a place. The same arguments give the same project.
    pub fn plan(&self, _flavor: &Flavor, _placement: &Placement) -> Result<Project, ComposeError> {
        Err(ComposeError::new("", "not planned yet"))
    }
}
