//! Folds numbers of minutes into steps: of each the mean, the least and the most.

use common::model::Timestamp;

use super::{Range, Series};

/// Folds numbers of minutes, in any order, into the steps of a range; what is outside it is left out.
pub fn fold(name: &str, range: Range, now: Timestamp, minutes: impl IntoIterator<Item = (Timestamp, f64)>) -> Series {
    let steps = range.steps(now);
    let (Some(first), step) = (steps.first(), range.step()) else { return empty(name, 0) };
    let mut folded: Vec<Option<Step>> = vec![None; steps.len()];
    for (minute, value) in minutes {
        if minute < *first {
            continue;
        }
        let place = minute.since(*first).as_millis() / step.as_millis();
        let Some(slot) = usize::try_from(place).ok().and_then(|place| folded.get_mut(place)) else { continue };
        *slot = Some(slot.take().map_or(Step::of(value), |step| step.and(value)));
    }
    let mut series = empty(name, steps.len());
    for step in folded {
        series.avg.push(step.map(|step| round(step.sum / f64::from(step.count))));
        series.min.push(step.map(|step| round(step.least)));
        series.max.push(step.map(|step| round(step.most)));
    }
    series
}

fn empty(name: &str, room: usize) -> Series {
    let list = || Vec::with_capacity(room);
    Series { name: name.to_owned(), avg: list(), min: list(), max: list() }
}

#[derive(Clone, Copy)]
struct Step {
    sum: f64,
    count: u32,
    least: f64,
    most: f64,
}

impl Step {
    fn of(value: f64) -> Step {
        Step { sum: value, count: 1, least: value, most: value }
    }

    fn and(self, value: f64) -> Step {
        Step { sum: self.sum + value, count: self.count + 1, least: self.least.min(value), most: self.most.max(value) }
    }
}

/// Hundredths are as fine as anybody looks, and make an answer half as long.
fn round(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_has_its_mean_its_least_and_its_most_and_a_gap_is_a_gap() {
        let now = Timestamp::from_millis(3 * 60_000 * 1000);
        let ago = |minutes: i64| Timestamp::from_millis(now.as_millis() - minutes * 60_000);
        let minutes = [(ago(5), 1.0), (ago(4), 2.0), (ago(6), 6.0), (ago(60 * 24 * 2), 9.0), (ago(0), 4.0)];
        let series = fold("x", Range::Day, now, minutes);
        assert_eq!(series.avg.len(), 480);
        assert_eq!(series.avg[477..], [Some(3.0), None, Some(4.0)]);
        assert_eq!((series.min[477], series.max[477]), (Some(1.0), Some(6.0)));
        assert_eq!((series.least(), series.most(), series.last(1)), (Some(1.0), Some(6.0), Some(4.0)));
        assert!(series.avg[..477].iter().all(Option::is_none));
    }
}
