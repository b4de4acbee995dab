//! A template: what can be chosen, and the compose file that is rendered once it is.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::at::At;
use super::choices::{Choice, Choices};
use super::render::{self, NotTera, RESERVED, Text};
use super::{ComposeError, Parameter, Placement, Project, TemplateError, extends, interpolate, resolve, yaml};
use crate::model::{Flavor, FlavorId, TemplateId};

/// A parsed template. Its text has two documents: what can be chosen, and the compose file.
#[derive(Clone)]
pub struct Template {
    id: TemplateId,
    text: String,
    choices: Choices,
    compose_file: Text,
    flavors: Vec<Flavor>,
}

impl Template {
    /// Reads a template; `docs/templates.md` says how one is written.
    ///
    /// Every flavor is rendered once, so that what tera or YAML refuses shows here. What the compose file means is
    /// checked by [`super::Catalog`], which knows the variables.
    pub fn parse(id: TemplateId, text: &str) -> Result<Template, TemplateError> {
        let fail = |path: &str, line: Option<u64>, message: String| TemplateError {
            template: id.clone(),
            path: path.to_owned(),
            line,
            message,
        };
        let halves = split(text).ok_or_else(|| {
            let message =
                "needs two documents with a line of --- between them: what can be chosen, and the compose file";
            fail("", None, message.into())
        })?;
        let (document, lines) = yaml::parse(halves.front)
            .map_err(|error| fail("", error.line, format!("is not YAML: {}", error.message)))?;
        let choices = Choices::read(&At::new("", &document)).map_err(|refusal| {
            let line = yaml::line_of(&lines, &refusal.path);
            fail(&refusal.path, line, refusal.message)
        })?;
        let names: Vec<String> = choices.parameters.iter().map(|p| p.name.clone()).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let known: Vec<&str> = names.iter().copied().chain(RESERVED).collect();
        let in_body = |error: NotTera| fail("", error.line.map(|line| line + halves.lines_before), error.message);
        let compose_file = Text::compile(halves.body, &known).map_err(in_body)?;
        let mut template =
            Template { id: id.clone(), text: text.to_owned(), choices, compose_file, flavors: Vec::new() };
        let titles = template.titles(&names).map_err(|error| {
            let path = "x-poolmanager.flavor_title";
            fail(path, yaml::line_of(&lines, path), error.message)
        })?;
        for (choice, title) in template.choices.combinations().into_iter().zip(titles) {
            let flavor_id =
                template.flavor_id(&choice).map_err(|message| fail("x-poolmanager.parameters", None, message))?;
            if template.flavors.iter().any(|flavor| flavor.id == flavor_id) {
                return Err(fail("x-poolmanager.parameters", None, format!("two flavors would be called {flavor_id}")));
            }
            let rendered = template.compose_file.render(&render::context(
                &template.choices,
                &choice,
                &flavor_id,
                &Placement::example(),
            ));
            let tree = read(&rendered.map_err(in_body)?).map_err(|refusal| refusal.of_template(&id))?;
            template.flavors.push(Flavor {
                id: flavor_id,
                template: id.clone(),
                title,
                size: size(&choice, &tree),
                digest: template.digest(&choice, &BTreeMap::new()),
                params: choice,
            });
        }
        Ok(template)
    }

    /// Its name.
    pub fn id(&self) -> &TemplateId {
        &self.id
    }

    /// For people.
    pub fn title(&self) -> &str {
        &self.choices.title
    }

    /// What can be chosen, in the order in which it is asked.
    pub fn parameters(&self) -> &[Parameter] {
        &self.choices.parameters
    }

    /// Every legal choice of parameters, the default first; always in the same order.
    pub fn flavors(&self) -> Vec<Flavor> {
        self.flavors.clone()
    }

    /// Hash of the text, the values and those variables that the text asks for: what decides what is made.
    pub(super) fn digest(&self, choice: &Choice, variables: &BTreeMap<String, String>) -> String {
        let asked = interpolate::names_in(&self.text);
        let given: BTreeMap<&String, &String> =
            variables.iter().filter(|(name, _)| asked.contains(&name.as_str())).collect();
        let mut hash = Sha256::new();
        // Lengths go before, so that no two different pairs are one text.
        for part in [&self.text, &Value::from_iter(choice.clone()).to_string()] {
            hash.update(part.len().to_be_bytes());
            hash.update(part);
        }
        for (name, value) in given {
            hash.update(serde_json::json!([name, value]).to_string());
        }
        hex::encode(hash.finalize())
    }

    /// The project of a flavor in a place.
    pub(super) fn plan(
        &self,
        flavor: &Flavor,
        placement: &Placement,
        variables: &BTreeMap<String, String>,
    ) -> Result<Project, ComposeError> {
        let mut file = read(&self.compose_file(flavor, placement)?)?;
        interpolate::interpolate(&mut file, "", variables)?;
        extends::resolve(&mut file)?;
        resolve::project(&At::new("", &file), placement)
    }

    /// The compose file of a flavor in a place, as it is written: variables and anchors stand in it still.
    pub(super) fn compose_file(&self, flavor: &Flavor, placement: &Placement) -> Result<String, ComposeError> {
        self.choices.check(&flavor.params)?;
        let context = render::context(&self.choices, &flavor.params, &flavor.id, placement);
        let text = self.compose_file.render(&context).map_err(NotTera::of_compose_file)?;
        Ok(text.trim().to_owned() + "\n")
    }

    /// The flavors' titles, in [`Choices::combinations`]' order.
    fn titles(&self, names: &[&str]) -> Result<Vec<String>, NotTera> {
        let known: Vec<&str> = names.iter().copied().chain(["title"]).collect();
        let text = self.choices.flavor_title.as_ref().map(|text| Text::compile(text, &known)).transpose()?;
        let title = |choice: &Choice| match &text {
            Some(text) => text.render(&render::parameters(&self.choices, choice)),
            None => {
                let values = self.choices.parameters.iter().filter_map(|p| choice.get(&p.name)).cloned();
                Ok(std::iter::once(self.choices.title.clone()).chain(values).collect::<Vec<_>>().join(", "))
            }
        };
        self.choices.combinations().iter().map(title).collect()
    }

    fn flavor_id(&self, choice: &Choice) -> Result<FlavorId, String> {
        let values = self.choices.parameters.iter().filter_map(|p| choice.get(&p.name)).map(String::as_str);
        let text = std::iter::once(self.id.as_str()).chain(values).collect::<Vec<_>>().join("-");
        FlavorId::parse(&text).map_err(|why| format!("make the flavor's name {text:?}, which {why}"))
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Template").field("id", &self.id).field("choices", &self.choices).finish_non_exhaustive()
    }
}

struct Halves<'a> {
    front: &'a str,
    body: &'a str,
    lines_before: u64,
}

/// Cuts at the first `---` line that has something before it.
fn split(text: &str) -> Option<Halves<'_>> {
    let mut begun = false;
    let mut offset = 0;
    for (lines_before, line) in (1..).zip(text.split_inclusive('\n')) {
        let end = offset + line.len();
        let content = line.trim_end();
        if content == "---" && begun {
            return Some(Halves { front: &text[..offset], body: &text[end..], lines_before });
        }
        begun |= !content.is_empty() && !content.starts_with('#') && content != "---";
        offset = end;
    }
    None
}

fn read(rendered: &str) -> Result<Value, ComposeError> {
    let (tree, _) = yaml::parse(rendered).map_err(|error| {
        let line = error.line.and_then(|at| usize::try_from(at).ok());
        let shown = line.and_then(|at| rendered.lines().nth(at.saturating_sub(1))).unwrap_or_default();
        ComposeError::new("", format!("is not YAML once rendered: {}, at {:?}", error.message, shown.trim()))
    })?;
    Ok(tree)
}

fn size(choice: &Choice, tree: &Value) -> u32 {
    let services = || tree.get("services").and_then(Value::as_object).map_or(0, serde_json::Map::len);
    choice
        .get("size")
        .and_then(|size| size.parse().ok())
        .unwrap_or_else(|| u32::try_from(services()).unwrap_or(u32::MAX))
}
