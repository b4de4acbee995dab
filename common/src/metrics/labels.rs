//! Labels that several families have. Their values are words of the code, or flavors, which are few.

use prometheus_client::encoding::EncodeLabelSet;

/// How something ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Outcome {
    /// In a word.
    pub outcome: &'static str,
}

/// What kind of thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Kind {
    /// In a word.
    pub kind: &'static str,
}

/// What kind of thing, and how it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct KindAndOutcome {
    /// In a word.
    pub kind: &'static str,
    /// In a word.
    pub outcome: &'static str,
}

/// Which flavor.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct FlavorLabel {
    /// Its id, which operators chose: `fabric-0.6-noops-4`.
    pub flavor: String,
}
