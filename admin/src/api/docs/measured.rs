//! What the document says of what is measured: curves, statistics, logs.

use super::op::Op;
use crate::api::samples::StatsShape;
use crate::curves::{Curve, Measure, Range};

/// Curves and statistics.
pub fn measured() -> Vec<Op> {
    let measures = Measure::OF_ONE.iter().chain(&Measure::OF_POOL).map(|measure| measure.as_str()).collect();
    vec![
        Op::get("/api/v1/samples", "getSamples", "Curves of a cluster, a host or the pool")
            .about("What is asked for counts as open for two minutes, so it is measured once a minute. `null` is a gap: nothing was measured.")
            .query("cluster", "the nodes of the cluster with this id")
            .query("node", "of that, only the node of this name")
            .query("host", "the clusters of the host with this id, together")
            .query_of("measure", measures, "of a cluster or host `processor` or `memory`, else of the pool; the first if not given")
            .query_of("range", Range::ALL.map(Range::as_str).to_vec(), "how long back; `7d` of the pool alone; `1h` if not given")
            .answers::<Curve>(200, "60 or 480 points"),
        Op::get("/api/v1/stats", "getStats", "The pool in numbers")
            .answers::<StatsShape>(200, "How it divides now, and what users were told over each range"),
    ]
}

/// Logs, beside what else there is of clusters.
pub fn logs() -> Op {
    Op::get("/api/v1/clusters/{id}/logs", "getLogs", "What a node wrote, or writes")
        .about("Without `follow` text/plain: a line each, after its time. With it text/event-stream: `line` with `{at, stream, text}`, \
                `skipped` with the number of lines that came too fast, `end` with `{code, detail}`: `node-ended`, `unreadable`, \
                `signed-out`, `role-changed`, `stopping`. 409 when it cannot be read.")
        .query("node", "the node; the first if not given")
        .query("tail", "so many of the last lines, 1 to 2,000; 200 if not given")
        .query_of("follow", vec!["true", "false"], "goes on with what it writes")
        .answers_text(200, "Text, or events")
}
