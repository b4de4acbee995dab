//! What can be chosen of a template: its parameters, and which combinations of their values there are.

use std::collections::BTreeMap;

use super::ComposeError;
use super::at::At;

/// Values of parameters by name. A parameter that a combination does not have is absent.
pub(super) type Choice = BTreeMap<String, String>;

/// More than anybody would list on a page; a slip in `values` shows here and not as a thousand clusters.
const MOST_FLAVORS: usize = 100;

/// One thing to choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// As the compose file and clients call it: `consensus_plugin`.
    pub name: String,
    /// For people.
    pub title: String,
    /// What may be chosen, the default first.
    pub values: Vec<String>,
    /// It exists only where each of these parameters has one of these values.
    pub when: BTreeMap<String, Vec<String>>,
}

/// What the first document of a template says.
#[derive(Clone, Debug)]
pub(super) struct Choices {
    /// The template's title.
    pub title: String,
    /// How a flavor is called: a tera text. `None`: the title and the values.
    pub flavor_title: Option<String>,
    /// In the file's order.
    pub parameters: Vec<Parameter>,
    except: Vec<Choice>,
}

impl Choices {
    /// Reads the first document.
    pub fn read(document: &At<'_>) -> Result<Self, ComposeError> {
        document.only(&[])?;
        let block = document.needed("x-poolmanager")?;
        for (key, at) in document.entries()? {
            if key != "x-poolmanager" {
                return at.refuse("does not belong here: the first document has x-poolmanager only");
            }
        }
        block.only(&["title", "flavor_title", "parameters", "except"])?;
        let mut parameters: Vec<Parameter> = Vec::new();
        if let Some(list) = block.field("parameters") {
            for (name, at) in list.entries()? {
                parameters.push(parameter(name, &at, &parameters)?);
            }
        }
        let mut except = Vec::new();
        if let Some(list) = block.field("except") {
            for item in list.items()? {
                let partial = conditions(&item, &parameters)?;
                except.push(partial.into_iter().map(|(name, mut values)| (name, values.remove(0))).collect());
            }
        }
        let flavor_title = block.field("flavor_title").map(|at| at.text()).transpose()?;
        let choices = Self { title: block.needed("title")?.text()?, flavor_title, parameters, except };
        match choices.combinations().len() {
            1..=MOST_FLAVORS => Ok(choices),
            0 => block.refuse("leaves no combination of parameters"),
            _ => block.refuse(format!("allows more than {MOST_FLAVORS} combinations of parameters")),
        }
    }

    /// Every combination there is, the defaults first; one more than [`MOST_FLAVORS`] at most.
    pub fn combinations(&self) -> Vec<Choice> {
        let mut all = vec![Choice::new()];
        for parameter in &self.parameters {
            all = all
                .into_iter()
                .flat_map(|choice| {
                    if !fits(&choice, &parameter.when) {
                        return vec![choice];
                    }
                    let with = |value: &String| {
                        let mut choice = choice.clone();
                        choice.insert(parameter.name.clone(), value.clone());
                        choice
                    };
                    parameter.values.iter().map(with).collect()
                })
                // Kept through all steps: without `except` the number only grows.
                .take(if self.except.is_empty() { MOST_FLAVORS + 1 } else { MOST_FLAVORS * MOST_FLAVORS })
                .collect();
        }
        all.retain(|choice| !self.except.iter().any(|out| out.iter().all(|(k, v)| choice.get(k) == Some(v))));
        all.truncate(MOST_FLAVORS + 1);
        all
    }

    /// Refuses values that are not one of the combinations.
    pub fn check(&self, choice: &Choice) -> Result<(), ComposeError> {
        for (name, value) in choice {
            let Some(parameter) = self.parameters.iter().find(|p| p.name == *name) else {
                return Err(ComposeError::new(name, format!("is no parameter of this template{}", self.names())));
            };
            if !parameter.values.contains(value) {
                let message = format!("may be {}, not {value:?}", parameter.values.join(", "));
                return Err(ComposeError::new(name, message));
            }
        }
        if self.combinations().contains(choice) {
            return Ok(());
        }
        let given: Vec<String> = choice.iter().map(|(k, v)| format!("{k}={v}")).collect();
        Err(ComposeError::new("", format!("there is no such combination of parameters: {}", given.join(" "))))
    }

    fn names(&self) -> String {
        let names: Vec<&str> = self.parameters.iter().map(|p| p.name.as_str()).collect();
        if names.is_empty() { ", which has none".into() } else { format!("; there are: {}", names.join(", ")) }
    }
}

fn fits(choice: &Choice, when: &BTreeMap<String, Vec<String>>) -> bool {
    when.iter().all(|(name, values)| choice.get(name).is_some_and(|value| values.contains(value)))
}

fn parameter(name: &str, at: &At<'_>, earlier: &[Parameter]) -> Result<Parameter, ComposeError> {
    let word = name.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_'));
    if !word || !name.starts_with(|c: char| c.is_ascii_lowercase()) {
        return at.refuse("a parameter's name may have lower-case letters, digits and '_', a letter first");
    }
    if super::render::RESERVED.contains(&name) {
        return at.refuse("is a name that every compose file is given; choose another");
    }
    at.only(&["title", "values", "default", "when"])?;
    let list = at.needed("values")?;
    let mut values = Vec::new();
    for item in list.items()? {
        let value = item.text()?;
        let slug = value.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_'));
        if value.is_empty() || value.len() > 24 || !slug {
            return item
                .refuse("may have 1 to 24 lower-case letters, digits, '.' and '_': it is part of flavors' names");
        }
        if name == "size" && !value.parse::<u32>().is_ok_and(|size| (1..=100).contains(&size)) {
            return item.refuse("a size is a whole number from 1 to 100");
        }
        if values.contains(&value) {
            return item.refuse("is there twice");
        }
        values.push(value);
    }
    if values.is_empty() {
        return list.refuse("must have at least one value");
    }
    if let Some(default) = at.field("default") {
        let text = default.text()?;
        match values.iter().position(|value| *value == text) {
            Some(place) => values[..=place].rotate_right(1),
            None => return default.refuse(format!("is none of its values: {}", values.join(", "))),
        }
    }
    let when = at.field("when").map_or_else(|| Ok(BTreeMap::new()), |when| conditions(&when, earlier))?;
    let title = at.field("title").map_or_else(|| Ok(name.replace('_', " ")), |title| title.text())?;
    Ok(Parameter { name: name.to_owned(), title, values, when })
}

/// Parameters that stand before, and values that they may have; each has at least one.
fn conditions(at: &At<'_>, earlier: &[Parameter]) -> Result<BTreeMap<String, Vec<String>>, ComposeError> {
    let mut all = BTreeMap::new();
    for (name, at) in at.entries()? {
        let Some(parameter) = earlier.iter().find(|p| p.name == name) else {
            return at.refuse("there is no parameter of this name above");
        };
        let values = if at.value.is_array() { at.texts()? } else { vec![at.text()?] };
        if values.is_empty() {
            return at.refuse("must have at least one value");
        }
        if let Some(wrong) = values.iter().find(|value| !parameter.values.contains(value)) {
            return at.refuse(format!("{wrong:?} is none of its values: {}", parameter.values.join(", ")));
        }
        all.insert(name.to_owned(), values);
    }
    if all.is_empty() { at.refuse("must name at least one parameter") } else { Ok(all) }
}
