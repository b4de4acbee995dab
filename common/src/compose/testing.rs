//! What the tests of this folder share.

use std::collections::BTreeMap;

use super::{Catalog, CatalogSettings, ComposeError, Placement, Project, Template};
use crate::model::{ClusterId, Slot, SlotLayout, TemplateId};

/// The place that golden files were made for.
pub(super) fn slot_2() -> Placement {
    let layout = SlotLayout::default();
    Placement {
        cluster: ClusterId::parse("5f0c1e2d3a4b5c6d7e8f9001").expect("an id"),
        project: "host1_2".into(),
        ports: layout.ports(Slot(2)).expect("a slot"),
        subnet: layout.subnet(Slot(2)).expect("a slot"),
        ..Placement::example()
    }
}

pub(super) fn id(text: &str) -> TemplateId {
    TemplateId::parse(text).expect("a template's id")
}

pub(super) fn variables(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// The project of a template's only flavor.
pub(super) fn plan(
    text: &str,
    variables: &BTreeMap<String, String>,
    place: &Placement,
) -> Result<Project, ComposeError> {
    let template = Template::parse(id("t"), text).map_err(|error| ComposeError::new(error.path, error.message))?;
    template.plan(&template.flavors()[0], place, variables)
}

pub(super) fn shipped(pairs: &[(&str, &str)]) -> Catalog {
    Catalog::shipped(&CatalogSettings { variables: variables(pairs) }).expect("what ships is good")
}

/// A compose file of one service with these lines; `%` begins lines of the file's top level.
pub(super) fn file_with(lines: &str) -> String {
    let (mut service, mut top) = (String::new(), String::new());
    for line in lines.lines() {
        match line.strip_prefix('%') {
            Some(line) => top += &format!("{line}\n"),
            None => service += &format!("    {line}\n"),
        }
    }
    format!(
        "x-poolmanager: {{title: T}}\n---\nservices:\n  a:\n    image: i\n    ports: [\"{{{{ port_base }}}}:80\"]\n{service}\
         {top}x-poolmanager:\n  endpoints: {{e: {{service: a, port: 80, scheme: http}}}}\n"
    )
}
