//! Reads what a curve is made of.

use common::model::{ClusterId, HostId, Subject, Timestamp};
use common::store::{Store, StoreResult};

use super::applies::of_applies;
use super::measures::{of_cluster, of_host, of_pool};
use super::{Curve, Measure, Range};

/// Of what a curve is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Of {
    /// The pool.
    Pool,
    /// One host.
    Host(HostId),
    /// One cluster, a curve for each node.
    Cluster(ClusterId),
}

impl Of {
    /// The measures that there are of it.
    pub fn measures(&self) -> &'static [Measure] {
        match self {
            Of::Pool => &Measure::OF_POOL,
            Of::Host(_) | Of::Cluster(_) => &Measure::OF_ONE,
        }
    }

    fn subject(&self) -> Subject {
        match self {
            Of::Pool => Subject::Pool,
            Of::Host(id) => Subject::Host(id.clone()),
            Of::Cluster(id) => Subject::Cluster(id.clone()),
        }
    }
}

/// The curves of one measure.
pub async fn curve_of(
    store: &dyn Store,
    of: &Of,
    measure: Measure,
    range: Range,
    now: Timestamp,
) -> StoreResult<Curve> {
    let steps = range.steps(now);
    let since = range.begins(now);
    let series = match measure {
        Measure::Applies | Measure::HitRate | Measure::Waits => {
            of_applies(measure, &store.applies(since).await?, range, now)
        }
        Measure::Processor | Measure::Memory | Measure::Clusters | Measure::Hosts | Measure::Making => {
            let samples = store.samples(&of.subject(), since).await?;
            match of {
                Of::Pool => of_pool(measure, &samples, range, now),
                Of::Host(_) => of_host(measure, &samples, range, now),
                Of::Cluster(_) => of_cluster(measure, &samples, range, now),
            }
        }
    };
    Ok(Curve {
        measure: measure.as_str(),
        title: measure.title(),
        unit: measure.unit(),
        range: range.as_str(),
        step_seconds: range.step().as_secs(),
        times: steps.into_iter().map(|step| step.as_millis() / 1000).collect(),
        series,
    })
}
