//! Argon2id, a bounded number at a time and never on a thread that serves requests.

use std::sync::Arc;

use anyhow::anyhow;
use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use tokio::sync::Semaphore;

/// Checks at once. Each takes 19 MiB and some 20 ms of a core, so that a flood of guesses can neither fill the
/// memory nor take every core from the operators.
const AT_ONCE: usize = 2;

/// Makes and checks password hashes.
#[derive(Clone)]
pub struct Passwords {
    permits: Arc<Semaphore>,
    nobodys: Arc<str>,
}

impl Passwords {
    /// Makes the hash that unknown names are checked against.
    pub fn new() -> anyhow::Result<Passwords> {
        let nobodys = hash(&hex::encode(rand::random::<[u8; 16]>()))?;
        Ok(Passwords { permits: Arc::new(Semaphore::new(AT_ONCE)), nobodys: nobodys.into() })
    }

    /// Whether this is the password behind `hash`. Without a hash (there is no such operator) the same work is done
    /// and the answer is no, so that the time taken does not tell which names exist.
    pub async fn check(&self, password: &str, hash: Option<&str>) -> anyhow::Result<bool> {
        let known = hash.is_some();
        let hash = hash.unwrap_or(&self.nobodys).to_owned();
        let password = password.to_owned();
        let _permit = self.permits.acquire().await?;
        let right = tokio::task::spawn_blocking(move || verify(&password, &hash)).await??;
        Ok(right && known)
    }

    /// The hash of a new password, in the PHC string format.
    pub async fn hash(&self, password: &str) -> anyhow::Result<String> {
        let password = password.to_owned();
        let _permit = self.permits.acquire().await?;
        tokio::task::spawn_blocking(move || hash(&password)).await?
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
}
