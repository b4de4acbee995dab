//! From a template to what to ask of an engine: parse, choose parameters, render, interpolate, resolve, check.
//!
//! Pure: no I/O, no clock. The result, a [`Project`], leaves the engine nothing to choose.

mod at;
mod catalog;
#[cfg(test)]
mod catalog_test;
mod choices;
mod deep;
#[cfg(test)]
mod deep_test;
mod error;
mod extends;
mod fields;
mod health;
mod image;
mod interpolate;
mod limits;
mod logging;
mod mounts;
mod names;
mod offer;
mod order;
mod placement;
mod ports;
mod probes;
mod project;
#[cfg(test)]
mod properties_test;
#[cfg(test)]
mod refusals_test;
mod render;
mod resolve;
mod service;
mod template;
#[cfg(test)]
mod template_test;
#[cfg(test)]
mod testing;
mod yaml;

pub use catalog::{Catalog, CatalogSettings};
pub use choices::Parameter;
pub use error::{ComposeError, TemplateError};
pub use placement::Placement;
pub use probes::{DeepProbe, DeepStep, HttpMethod, HttpProbe, JsonExpect};
pub use project::{
    Condition, ContainerPort, HealthCheck, Logging, MountSpec, NetworkSpec, PlannedEndpoint, Project, Protocol,
    RestartPolicy, ServiceSpec, VolumeSpec,
};
pub use template::Template;
