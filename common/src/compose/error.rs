//! Why a template, or a plan made from one, was refused. Both name the field, so that its author finds it.

use std::fmt;

use crate::model::TemplateId;

/// A template that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateError {
    /// Which template.
    pub template: TemplateId,
    /// The field at fault, `x-poolmanager.parameters.size`; "" when it is the file as a whole.
    pub path: String,
    /// The line of the template's text, counted from 1, where it is known.
    pub line: Option<u64>,
    /// What is wrong with it, in plain words.
    pub message: String,
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "template {}", self.template)?;
        if let Some(line) = self.line {
            write!(f, ", line {line}")?;
        }
        if !self.path.is_empty() {
            write!(f, ": {}", self.path)?;
        }
        write!(f, ": {}", self.message)
    }
}

impl std::error::Error for TemplateError {}

/// A field of a rendered compose file that is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComposeError {
    /// The field at fault, `services.vp0.privileged`; "" when it is the file as a whole.
    pub path: String,
    /// What is wrong with it, in plain words.
    pub message: String,
}

impl ComposeError {
    pub(super) fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: path.into(), message: message.into() }
    }

    pub(super) fn of_template(self, template: &TemplateId) -> TemplateError {
        TemplateError { template: template.clone(), path: self.path, line: None, message: self.message }
    }
}

impl fmt::Display for ComposeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() { f.write_str(&self.message) } else { write!(f, "{}: {}", self.path, self.message) }
    }
}

impl std::error::Error for ComposeError {}
