//! What operators see, and the reconciler.

pub mod reconciler;
