//! One listener for each port number, for many hosts: the address that a connection was made to tells the host.

/// The listeners that hosts have in common. Clones are the same; the last one to go closes them.
#[derive(Clone, Debug, Default)]
pub struct SharedPorts {}
