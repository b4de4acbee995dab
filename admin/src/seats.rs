//! Places of which there are so many, and of which one operator takes only some: she may sign in as often as she likes, and
//! still leaves room for others.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use common::model::OperatorId;

/// The places. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Seats {
    all: usize,
    each: usize,
    taken: Arc<Mutex<BTreeMap<OperatorId, usize>>>,
}

/// One of them, until it is dropped.
#[derive(Debug)]
pub struct Seat {
    of: OperatorId,
    taken: Arc<Mutex<BTreeMap<OperatorId, usize>>>,
}

/// Why there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoSeat {
    /// All are taken.
    Full,
    /// This operator has as many as one may have.
    Hers(usize),
}

impl Seats {
    /// So many, and of them so many for each operator.
    pub fn new(all: usize, each: usize) -> Seats {
        Seats { all, each, taken: Arc::default() }
    }

    /// One for an operator.
    pub fn take(&self, of: &OperatorId) -> Result<Seat, NoSeat> {
        let mut taken = lock(&self.taken);
        let hers = taken.get(of).copied().unwrap_or_default();
        if hers >= self.each {
            return Err(NoSeat::Hers(self.each));
        }
        if taken.values().sum::<usize>() >= self.all {
            return Err(NoSeat::Full);
        }
        taken.insert(of.clone(), hers + 1);
        Ok(Seat { of: of.clone(), taken: self.taken.clone() })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = lock(&self.taken);
        match taken.get_mut(&self.of) {
            Some(hers) if *hers > 1 => *hers -= 1,
            Some(_) | None => {
                taken.remove(&self.of);
            }
        }
    }
}

fn lock(taken: &Mutex<BTreeMap<OperatorId, usize>>) -> MutexGuard<'_, BTreeMap<OperatorId, usize>> {
    taken.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_operator_leaves_room_for_others_and_gets_back_what_she_gave_up() {
        let (seats, [ann, bob, eve]) = (Seats::new(5, 2), [(); 3].map(|()| OperatorId::random()));
        let mut hers = vec![seats.take(&ann).unwrap(), seats.take(&ann).unwrap()];
        assert_eq!(seats.take(&ann).unwrap_err(), NoSeat::Hers(2));
        let _his = (seats.take(&bob).unwrap(), seats.take(&bob).unwrap());
        let last = seats.take(&eve).unwrap();
        assert_eq!(seats.take(&eve).unwrap_err(), NoSeat::Full);
        assert_eq!(seats.take(&ann).unwrap_err(), NoSeat::Hers(2), "what she can mend is said first");
        drop(last);
        hers.pop();
        hers.push(seats.take(&ann).unwrap());
        assert!(seats.take(&eve).is_ok() && seats.take(&ann).is_err());
    }
}
