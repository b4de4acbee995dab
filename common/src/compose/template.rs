//! A template: what can be chosen, and the compose file that is rendered once it is.

use super::TemplateError;
use crate::model::{Flavor, TemplateId};

/// A parsed template. Its text has two documents: what can be chosen, and the compose file.
#[derive(Clone, Debug)]
pub struct Template {
    id: TemplateId,
    flavors: Vec<Flavor>,
}

impl Template {
    /// Reads a template; `docs/templates.md` says how one is written.
    pub fn parse(id: TemplateId, _text: &str) -> Result<Template, TemplateError> {
        Err(TemplateError { template: id, path: String::new(), line: None, message: "not read yet".into() })
    }

    /// Its name.
    pub fn id(&self) -> &TemplateId {
        &self.id
    }

    /// Every legal choice of parameters, the default first; always in the same order.
    pub fn flavors(&self) -> Vec<Flavor> {
        self.flavors.clone()
    }
}
