//! From a template to what to ask of an engine: parse, choose parameters, render, interpolate, resolve, check.
//!
//! Pure: no I/O, no clock. The result, a [`Project`], leaves the engine nothing to choose.

mod catalog;
mod error;
mod placement;
mod project;
mod template;

pub use catalog::{Catalog, CatalogSettings};
pub use error::{ComposeError, TemplateError};
pub use placement::Placement;
pub use project::{
    Condition, ContainerPort, HealthCheck, HttpProbe, JsonExpect, Logging, MountSpec, NetworkSpec, PlannedEndpoint,
    Project, Protocol, RestartPolicy, ServiceSpec, VolumeSpec,
};
pub use template::Template;
