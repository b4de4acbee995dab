//! Ids and names as Docker makes them.

use std::sync::Arc;

use rand::RngExt;
use sha2::{Digest, Sha256};

/// 64 hexadecimal digits, shared by all who point to a thing.
pub(crate) type Id = Arc<str>;

/// Digits of the short form that people see.
pub(crate) const SHORT: usize = 12;

/// A new id.
pub(crate) fn fresh() -> Id {
    let mut bytes = [0u8; 32];
    rand::rng().fill(&mut bytes);
    hex::encode(bytes).into()
}

/// An id that follows from a text.
pub(crate) fn of(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes()))
}

/// The first twelve digits.
pub(crate) fn short(id: &str) -> &str {
    id.get(..SHORT).unwrap_or(id)
}

/// A name for a container whose maker gave none.
pub(crate) fn pet_name() -> String {
    const MOODS: [&str; 16] = [
        "brisk", "calm", "deft", "eager", "fair", "glad", "hardy", "idle", "jolly", "keen", "lucid", "merry", "neat",
        "plain", "quiet", "ready",
    ];
    const PEOPLE: [&str; 16] = [
        "abel", "banach", "cauchy", "dirac", "euler", "fermat", "galois", "hilbert", "ito", "jacobi", "klein", "lie",
        "markov", "noether", "pascal", "riemann",
    ];
    let mut rng = rand::rng();
    let (mood, person) = (MOODS[rng.random_range(0..MOODS.len())], PEOPLE[rng.random_range(0..PEOPLE.len())]);
    format!("{mood}_{person}{}", rng.random_range(0..1_000_000u32))
}

/// An engine's id: twelve groups of four letters and digits, from a seed so that a host keeps it.
pub(crate) fn engine(seed: &str) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let (one, two) = (Sha256::digest(seed.as_bytes()), Sha256::digest(format!("{seed}.")));
    let letters: Vec<u8> = one.iter().chain(two.iter()).take(48).map(|byte| ALPHABET[usize::from(byte % 32)]).collect();
    letters.chunks(4).map(|group| String::from_utf8_lossy(group).into_owned()).collect::<Vec<_>>().join(":")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_look_like_dockers() {
        assert_eq!(fresh().len(), 64);
        assert_ne!(fresh(), fresh());
        assert_eq!(engine("a"), engine("a"));
        assert_eq!(engine("a").len(), 59);
        assert_ne!(engine("a"), engine("b"));
    }
}
