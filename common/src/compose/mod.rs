//! From a template to what to ask of an engine: parse, choose parameters, render, interpolate, resolve, check.
//!
//! Pure: no I/O, no clock. The result, a [`Project`], leaves the engine nothing to choose.

mod project;

pub use project::{
    Condition, ContainerPort, HealthCheck, HttpProbe, JsonExpect, Logging, MountSpec, NetworkSpec, PlannedEndpoint,
    Project, Protocol, RestartPolicy, ServiceSpec, VolumeSpec,
};
