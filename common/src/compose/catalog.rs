//! All templates that there are, and the flavors that they offer.

use std::collections::BTreeMap;

use rust_embed::RustEmbed;

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
    variables: BTreeMap<String, String>,
}

#[derive(RustEmbed)]
#[folder = "templates/"]
struct Shipped;

impl Catalog {
    /// The templates that ship with the program. Every flavor is planned once, so that what is wrong is said now.
    pub fn shipped(settings: &CatalogSettings) -> Result<Catalog, TemplateError> {
        let mut templates = Vec::new();
        for file in Shipped::iter() {
            let name = file.trim_end_matches(".yml");
            // Both cannot fail for what is in the tree: the tests load every file.
            let (Ok(id), Some(content)) = (TemplateId::parse(name), Shipped::get(&file)) else { continue };
            templates.push(Template::parse(id, &String::from_utf8_lossy(&content.data))?);
        }
        Self::of(templates, settings)
    }

    /// These templates, checked likewise. Of two with one name the later is taken.
    pub fn of(templates: Vec<Template>, settings: &CatalogSettings) -> Result<Catalog, TemplateError> {
        let templates = templates.into_iter().map(|template| (template.id().clone(), template)).collect();
        let mut catalog = Self { templates, flavors: Vec::new(), variables: settings.variables.clone() };
        for template in catalog.templates.values() {
            for mut flavor in template.flavors() {
                template
                    .plan(&flavor, &Placement::example(), &catalog.variables)
                    .map_err(|refusal| refusal.of_template(template.id()))?;
                flavor.digest = template.digest(&flavor.params, &catalog.variables);
                catalog.flavors.push(flavor);
            }
        }
        Ok(catalog)
    }

    /// Every flavor, each template's default first; always in the same order. Unlike [`Template::flavors`], the
    /// digests here also cover the variables that the template asks for: another image is another digest.
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
    ///
    /// Refuses a flavor of no template here, one whose parameters its template does not have, and a compose file
    /// that is refused in this place (a port outside of the slot's block, ...), each naming the field.
    pub fn plan(&self, flavor: &Flavor, placement: &Placement) -> Result<Project, ComposeError> {
        self.template_of(flavor)?.plan(flavor, placement, &self.variables)
    }

    /// A flavor for people to look at: its compose file as text, and the project that it comes to. Both as for a cluster
    /// called `host_0` in the first slot of a host.
    pub fn example(&self, flavor: &Flavor) -> Result<(String, Project), ComposeError> {
        let template = self.template_of(flavor)?;
        let place = Placement { project: "host_0".into(), ..Placement::example() };
        Ok((template.compose_file(flavor, &place)?, template.plan(flavor, &place, &self.variables)?))
    }

    fn template_of(&self, flavor: &Flavor) -> Result<&Template, ComposeError> {
        self.templates.get(&flavor.template).ok_or_else(|| {
            let names: Vec<&str> = self.templates.keys().map(TemplateId::as_str).collect();
            let message = format!("there is no template {}; there are: {}", flavor.template, names.join(", "));
            ComposeError::new("", message)
        })
    }
}
