//! Fabric 0.6's REST.

/// An answer: always JSON, ending with a newline (`Content-Type: application/json`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// JSON and a newline.
    pub body: String,
}
