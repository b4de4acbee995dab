//! Samples of an hour that are kept together; both stores group and take apart by the same rules.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::model::{SAMPLE_EVERY, SAMPLES_TOGETHER, Sample, Subject, Timestamp, beginning};

/// Where a row or document belongs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) hour: Timestamp,
    pub(super) subject: Subject,
}

impl Place {
    pub(super) fn of(sample: &Sample) -> Place {
        Place { hour: beginning(sample.minute, SAMPLES_TOGETHER), subject: sample.subject.clone() }
    }

    /// When none of its samples is to be kept any more.
    pub(super) fn ends(&self) -> Timestamp {
        self.hour + SAMPLES_TOGETHER + self.subject.kept()
    }
}

/// Numbers by name, each by the minute of the hour.
pub(super) type Numbers = BTreeMap<String, BTreeMap<u8, u64>>;

/// Samples by where they belong. The later of two of one minute stays.
pub(super) fn group(samples: &[Sample]) -> BTreeMap<Place, Numbers> {
    let mut all: BTreeMap<Place, Numbers> = BTreeMap::new();
    for sample in samples {
        let place = Place::of(sample);
        let minute = minute_in(&place, sample.minute);
        let numbers = all.entry(place).or_default();
        for (name, value) in &sample.values {
            numbers.entry(name.clone()).or_default().insert(minute, *value);
        }
    }
    all
}

/// The samples of an hour, oldest first, those from `since` on.
pub(super) fn take_apart(subject: &Subject, hour: Timestamp, numbers: Numbers, since: Timestamp) -> Vec<Sample> {
    let mut minutes: BTreeMap<u8, BTreeMap<String, u64>> = BTreeMap::new();
    for (name, values) in numbers {
        for (minute, value) in values {
            minutes.entry(minute).or_default().insert(name.clone(), value);
        }
    }
    let samples = minutes.into_iter().map(|(minute, values)| Sample {
        subject: subject.clone(),
        minute: hour + SAMPLE_EVERY * u32::from(minute),
        values,
    });
    samples.filter(|sample| sample.minute >= since).collect()
}

fn minute_in(place: &Place, at: Timestamp) -> u8 {
    let minutes: Duration = at.since(place.hour);
    u8::try_from(minutes.as_secs() / SAMPLE_EVERY.as_secs()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_together_is_taken_apart_again() {
        let sample = |minute: i64, name: &str, value| Sample {
            subject: Subject::Pool,
            minute: Timestamp::from_millis(minute * 60_000),
            values: BTreeMap::from([(name.to_owned(), value)]),
        };
        let samples = [sample(59, "a", 1), sample(60, "a", 2), sample(61, "b", 3), sample(61, "b", 4)];
        let grouped = group(&samples);
        assert_eq!(grouped.len(), 2);
        let apart: Vec<Sample> = grouped
            .into_iter()
            .flat_map(|(place, numbers)| take_apart(&place.subject, place.hour, numbers, samples[0].minute))
            .collect();
        assert_eq!(apart, [samples[0].clone(), samples[1].clone(), samples[3].clone()]);
    }
}
