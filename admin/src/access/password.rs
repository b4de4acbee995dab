//! Argon2id, a bounded number at a time and waiting, and never on a thread that serves requests.

use std::sync::Arc;
use std::thread::available_parallelism;

use anyhow::anyhow;
use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use tokio::sync::Semaphore;

/// Checks that may wait for their turn, at some 20 ms each. Whoever comes beyond is told to come again, so that a flood
/// of guesses makes nobody wait longer than a third of a second.
const WAITING: usize = 16;

/// Makes and checks password hashes.
#[derive(Clone)]
pub struct Passwords {
    /// To be checked or to wait for it.
    places: Arc<Semaphore>,
    /// To be checked.
    turns: Arc<Semaphore>,
    nobodys: Arc<str>,
}

/// Why a password was neither checked nor hashed.
#[derive(Debug, thiserror::Error)]
pub enum NotChecked {
    /// Too many wait already.
    #[error("too many passwords are being checked")]
    Busy,
    /// Our own code failed.
    #[error(transparent)]
    Broken(#[from] anyhow::Error),
}

impl Passwords {
    /// Makes the hash that unknown names are checked against. A check takes 19 MiB and a core for some 20 ms; one core
    /// is left to the operators who are in, if there are two.
    pub fn new() -> anyhow::Result<Passwords> {
        let cores = available_parallelism().map_or(1, usize::from);
        Passwords::with_turns(cores.saturating_sub(1).max(1))
    }

    fn with_turns(turns: usize) -> anyhow::Result<Passwords> {
        let nobodys = hash(&hex::encode(rand::random::<[u8; 16]>()))?;
        Ok(Passwords {
            places: Arc::new(Semaphore::new(turns + WAITING)),
            turns: Arc::new(Semaphore::new(turns)),
            nobodys: nobodys.into(),
        })
    }

    /// At which there is no place for anybody.
    #[cfg(test)]
    pub(super) fn crowded() -> Passwords {
        let crowded = Passwords::with_turns(1).expect("made");
        crowded.places.forget_permits(usize::MAX >> 3);
        crowded
    }

    /// Whether this is the password behind `hash`. Without a hash (there is no such operator) the same work is done
    /// and the answer is no, so that the time taken does not tell which names exist.
    pub async fn check(&self, password: &str, hash: Option<&str>) -> Result<bool, NotChecked> {
        let known = hash.is_some();
        let hash = hash.unwrap_or(&self.nobodys).to_owned();
        let password = password.to_owned();
        let right = self.in_turn(move || verify(&password, &hash)).await?;
        Ok(right && known)
    }

    /// The hash of a new password, in the PHC string format.
    pub async fn hash(&self, password: &str) -> Result<String, NotChecked> {
        let password = password.to_owned();
        self.in_turn(move || hash(&password)).await
    }

    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> anyhow::Result<T> + Send + 'static,
    ) -> Result<T, NotChecked> {
        let place = self.places.clone().try_acquire_owned().map_err(|_| NotChecked::Busy)?;
        let turn = self.turns.clone().acquire_owned().await.map_err(anyhow::Error::from)?;
        // The work goes on when whoever asked has gone, so both stay with it until it is done.
        let held = (place, turn);
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(held);
            done
        });
        Ok(done.await.map_err(anyhow::Error::from)??)
    }
}

fn hash(password: &str) -> anyhow::Result<String> {
    let hash = Argon2::default().hash_password(password.as_bytes()).map_err(|e| anyhow!("hashing a password: {e}"))?;
    Ok(hash.to_string())
}

fn verify(password: &str, hash: &str) -> anyhow::Result<bool> {
    let hash = PasswordHash::new(hash).map_err(|e| anyhow!("reading a password hash: {e}"))?;
    Ok(Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_password_itself_opens() {
        let passwords = Passwords::new().unwrap();
        let hash = passwords.hash("correct horse").await.unwrap();
        assert!(hash.starts_with("$argon2id$"), "{hash}");
        assert!(passwords.check("correct horse", Some(&hash)).await.unwrap());
        assert!(!passwords.check("correct horsf", Some(&hash)).await.unwrap());
        assert!(!passwords.check("correct horse", None).await.unwrap());
    }

    #[tokio::test]
    async fn beyond_those_that_may_wait_it_is_busy_and_then_free_again() {
        let passwords = Passwords::with_turns(1).unwrap();
        let turn = passwords.turns.clone().acquire_owned().await.unwrap();
        let waiting: Vec<_> = (0..=WAITING)
            .map(|_| {
                let passwords = passwords.clone();
                tokio::spawn(async move { passwords.check("guess", None).await })
            })
            .collect();
        while passwords.places.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        assert!(matches!(passwords.check("guess", None).await, Err(NotChecked::Busy)));
        drop(turn);
        for one in waiting {
            assert!(!one.await.unwrap().unwrap());
        }
        assert!(passwords.check("guess", None).await.is_ok());
    }

    #[tokio::test]
    async fn who_goes_away_keeps_the_turn_until_the_work_is_done() {
        let passwords = Passwords::with_turns(1).unwrap();
        let (ready, started) = tokio::sync::oneshot::channel();
        let (finish, finished) = std::sync::mpsc::channel::<()>();
        let asked = passwords.clone();
        let asking = tokio::spawn(async move {
            asked
                .in_turn(move || {
                    let _ = ready.send(());
                    Ok(finished.recv()?)
                })
                .await
        });
        started.await.unwrap();
        asking.abort();
        assert!(asking.await.unwrap_err().is_cancelled());
        assert_eq!(passwords.turns.available_permits(), 0);
        finish.send(()).unwrap();
        assert!(!passwords.check("guess", None).await.unwrap());
    }
}
