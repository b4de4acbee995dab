//! How often clusters are counted.

use std::time::Duration;

/// Whoever looked so long ago may have gone.
pub(super) const LOOKED_AT_FOR: Duration = Duration::from_secs(60);

/// Between two counts while somebody looks: a page that changes more often than three times a second is not read.
const WHILE_LOOKED_AT: Duration = Duration::from_millis(300);

/// Between two counts while nobody does: so old is at most what the next one sees first.
const OTHERWISE: Duration = Duration::from_secs(10);

/// From the end of a count to the next: never more than a tenth of the time is spent counting, a hundredth while nobody looks.
pub(super) fn pause(took: Duration, idle: Duration) -> Duration {
    if idle <= LOOKED_AT_FOR { WHILE_LOOKED_AT.max(took * 9) } else { OTHERWISE.max(took * 99) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counting_takes_a_tenth_of_the_time_at_most() {
        let ms = Duration::from_millis;
        assert_eq!(pause(ms(1), ms(0)), ms(300));
        assert_eq!(pause(ms(100), ms(0)), ms(900));
        assert_eq!(pause(ms(1), LOOKED_AT_FOR * 2), OTHERWISE);
        assert_eq!(pause(ms(1_000), LOOKED_AT_FOR * 2), ms(99_000));
    }
}
