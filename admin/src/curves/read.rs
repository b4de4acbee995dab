//! Reads what curves are made of, once for all curves of one subject.

use common::model::{ApplyCount, ClusterId, HostId, Sample, Subject, Timestamp};
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

/// What was noted of a subject over a range, oldest first.
#[derive(Clone, Debug)]
pub struct Noted {
    of: Of,
    range: Range,
    now: Timestamp,
    /// What users asked for; none unless it was to be read.
    pub applies: Vec<ApplyCount>,
    /// What was measured; none unless it was to be read.
    pub samples: Vec<Sample>,
}

impl Noted {
    /// Reads what these measures are made of, and nothing else.
    pub async fn read(
        store: &dyn Store,
        of: &Of,
        measures: &[Measure],
        range: Range,
        now: Timestamp,
    ) -> StoreResult<Noted> {
        let since = range.begins(now);
        let of_users = |measure: &Measure| measure.is_of_applies();
        let applies = if measures.iter().any(of_users) { store.applies(since).await? } else { Vec::new() };
        let samples =
            if measures.iter().all(of_users) { Vec::new() } else { store.samples(&of.subject(), since).await? };
        Ok(Noted { of: of.clone(), range, now, applies, samples })
    }

    /// The curves of one of those measures.
    pub fn curve(&self, measure: Measure) -> Curve {
        let (range, now) = (self.range, self.now);
        let series = match &self.of {
            _ if measure.is_of_applies() => of_applies(measure, &self.applies, range, now),
            Of::Pool => of_pool(measure, &self.samples, range, now),
            Of::Host(_) => of_host(measure, &self.samples, range, now),
            Of::Cluster(_) => of_cluster(measure, &self.samples, range, now),
        };
        Curve {
            measure: measure.as_str(),
            title: measure.title(),
            unit: measure.unit(),
            range: range.as_str(),
            step_seconds: range.step().as_secs(),
            times: range.steps(now).into_iter().map(|step| step.as_millis() / 1000).collect(),
            series,
        }
    }
}
