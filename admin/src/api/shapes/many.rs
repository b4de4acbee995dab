//! What came of adding many hosts, in JSON.

use schemars::JsonSchema;
use serde::Serialize;

use crate::operations::{Fault, LineDone, LineResult, ManyDone};

/// What came of all lines.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ManyAdded")]
pub struct ManyShape {
    message: String,
    added: usize,
    there: usize,
    refused: usize,
    lines: Vec<LineShape>,
}

/// What came of one line.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "LineAdded")]
struct LineShape {
    /// From 1.
    line: usize,
    name: String,
    #[schemars(extend("enum" = ["added", "there", "refused"]))]
    result: &'static str,
    /// Of the host that was added, or was there.
    host_id: Option<String>,
    errors: Vec<FaultShape>,
}

/// One thing wrong with what was given.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Fault")]
struct FaultShape {
    field: String,
    reason: String,
}

/// What came of all lines.
pub fn many(done: &ManyDone) -> ManyShape {
    let (added, there, refused) = done.counts();
    ManyShape { message: done.message(), added, there, refused, lines: done.0.iter().map(line).collect() }
}

fn line(line: &LineDone) -> LineShape {
    let fault = |fault: &Fault| FaultShape { field: fault.field.clone(), reason: fault.reason.clone() };
    let (result, host_id, errors) = match &line.result {
        LineResult::Added(id) => ("added", Some(id.to_string()), Vec::new()),
        LineResult::There(id) => ("there", Some(id.to_string()), Vec::new()),
        LineResult::Refused(faults) => ("refused", None, faults.iter().map(fault).collect()),
    };
    LineShape { line: line.number, name: line.name.clone(), result, host_id, errors }
}
