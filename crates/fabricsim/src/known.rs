//! Whom a peer has met, and where: a handful, so a sorted list, which is a third of what a map takes.

use crate::id::PeerId;

/// Peers and where each is reached, by id.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known(Vec<(PeerId, Box<str>)>);

impl Known {
    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn get(&self, id: &PeerId) -> Option<&str> {
        self.place(id).ok().map(|at| &*self.0[at].1)
    }

    pub fn insert(&mut self, id: PeerId, address: Box<str>) {
        match self.place(&id) {
            Ok(at) => self.0[at].1 = address,
            Err(at) => {
                self.0.reserve_exact(1);
                self.0.insert(at, (id, address));
            }
        }
    }

    /// Forgets whoever was said to be there.
    pub fn forget_address(&mut self, address: &str) {
        self.0.retain(|(_, at)| **at != *address);
    }

    /// In the order of ids.
    pub fn iter(&self) -> impl Iterator<Item = &(PeerId, Box<str>)> {
        self.0.iter()
    }

    fn place(&self, id: &PeerId) -> Result<usize, usize> {
        self.0.binary_search_by(|(other, _)| other.cmp(id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_met_are_held_in_order_once_each_and_forgotten_by_address() {
        let mut known = Known::default();
        for (id, address) in [("vp2", "b"), ("vp10", "c"), ("vp0", "a"), ("vp2", "d")] {
            known.insert(PeerId::new(id), address.into());
        }
        let all: Vec<_> = known.iter().map(|(id, address)| (id.as_str(), &**address)).collect();
        assert_eq!(all, [("vp0", "a"), ("vp2", "d"), ("vp10", "c")]);
        known.forget_address("d");
        assert_eq!((known.len(), known.get(&PeerId::new("vp2")), known.get(&PeerId::new("vp0"))), (2, None, Some("a")));
    }
}
