//! Renders a template's compose file for one choice of parameters in one place.

use serde_json::Value;
use tera::{Context, ErrorKind, Kwargs, State, Tera};

use super::choices::{Choice, Choices};
use super::{ComposeError, Placement};
use crate::model::{FlavorId, HostKind};

/// What every compose file is given besides the template's own parameters.
pub(super) const RESERVED: [&str; 12] = [
    "bind_address",
    "chaincode_endpoint",
    "cluster_id",
    "flavor",
    "kind",
    "log_level",
    "network",
    "port_base",
    "port_count",
    "project",
    "subnet",
    "title",
];

/// A tera text that was refused: the line within it, and why.
#[derive(Debug)]
pub(super) struct NotTera {
    /// Counted from 1.
    pub line: Option<u64>,
    /// In tera's words.
    pub message: String,
}

impl From<tera::Error> for NotTera {
    fn from(error: tera::Error) -> Self {
        match error.kind() {
            ErrorKind::SyntaxError(report) | ErrorKind::RenderingError(report) => {
                Self { line: u64::try_from(report.span().start_line).ok(), message: report.message().to_owned() }
            }
            other => Self { line: None, message: other.to_string() },
        }
    }
}

/// A compiled tera text.
#[derive(Clone)]
pub(super) struct Text {
    tera: Tera,
}

impl Text {
    /// Compiles it; `known` are the variables that it may use.
    pub fn compile(text: &str, known: &[&str]) -> Result<Self, NotTera> {
        let mut tera = Tera::default();
        tera.autoescape_on(Vec::<&str>::new());
        tera.register_filter("yaml", |text: &str, _: Kwargs, _: &State<'_>| quoted(text));
        tera.add_raw_template("text", text)?;
        // Tera takes an unknown name in an `if` for false, so that a slip would choose a branch in silence.
        let mut unknown: Vec<&str> = tera.get_template_variables("text")?.into_iter().collect();
        unknown.retain(|name| !known.contains(name));
        unknown.sort_unstable();
        if let Some(name) = unknown.first() {
            let line = text.lines().position(|line| line.contains(name) && line.contains('{'));
            let message = format!("uses the unknown parameter {name:?}; there are: {}", known.join(", "));
            return Err(NotTera { line: line.and_then(|at| u64::try_from(at + 1).ok()), message });
        }
        Ok(Self { tera })
    }

    /// Renders it.
    pub fn render(&self, context: &Context) -> Result<String, NotTera> {
        Ok(self.tera.render("text", context)?)
    }
}

/// A text as YAML that stands for itself: quoted, and with nothing left to interpolate.
fn quoted(text: &str) -> String {
    Value::String(text.replace('$', "$$")).to_string()
}

/// The parameters of a choice. A whole number is a number; one that the choice does not have is "".
pub(super) fn parameters(choices: &Choices, choice: &Choice) -> Context {
    let mut context = Context::new();
    for parameter in &choices.parameters {
        match choice.get(&parameter.name) {
            None => context.insert(parameter.name.clone(), ""),
            Some(value) => match value.parse::<u64>() {
                Ok(number) if number.to_string() == *value => context.insert(parameter.name.clone(), &number),
                _ => context.insert(parameter.name.clone(), value),
            },
        }
    }
    context.insert("title", &choices.title);
    context
}

/// The parameters of a choice, and what follows from the place.
pub(super) fn context(choices: &Choices, choice: &Choice, flavor: &FlavorId, placement: &Placement) -> Context {
    let mut context = parameters(choices, choice);
    context.insert("bind_address", &placement.bind_address.to_string());
    context.insert("chaincode_endpoint", placement.chaincode_endpoint.as_deref().unwrap_or_default());
    context.insert("cluster_id", placement.cluster.as_str());
    context.insert("flavor", flavor.as_str());
    context.insert(
        "kind",
        match placement.kind {
            HostKind::Single => "single",
            HostKind::Swarm => "swarm",
        },
    );
    context.insert("log_level", placement.log_level.as_str());
    context.insert("network", &super::names::object(&placement.project, super::names::DEFAULT_NETWORK));
    context.insert("port_base", &placement.ports.first);
    context.insert("port_count", &placement.ports.count);
    context.insert("project", &placement.project);
    context.insert("subnet", &placement.subnet.to_string());
    context
}

impl NotTera {
    /// As a refusal of the compose file.
    pub fn of_compose_file(self) -> ComposeError {
        ComposeError::new("", self.message)
    }
}
