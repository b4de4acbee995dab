//! What a password must be, and passwords that are made here.
//!
//! Length is what makes guessing hard. Rules about letters and digits make people write `Password1!`, so there are none.

use common::config::Secret;

/// Fewest and most characters. Attempts are counted, so this is about hashes that were stolen.
const SHORTEST: usize = 12;
const LONGEST: usize = 256;

/// Takes a password that an operator chose, else says what is wrong with it.
pub fn check_password(password: &str, username: &str) -> Result<(), String> {
    let length = password.chars().count();
    if length < SHORTEST {
        return Err(format!("must have at least {SHORTEST} characters"));
    }
    if length > LONGEST {
        return Err(format!("may have at most {LONGEST} characters"));
    }
    if password.trim().eq_ignore_ascii_case(username) {
        return Err("must not be the name".into());
    }
    Ok(())
}

/// 100 random bits in letters that cannot be mistaken for each other, in groups that can be read out.
pub fn one_time_password() -> Secret {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let picks: [u8; 20] = rand::random();
    let letter = |pick: u8| char::from(LETTERS[usize::from(pick % 32)]);
    let letters: Vec<char> = picks.into_iter().map(letter).collect();
    let groups: Vec<String> = letters.chunks(5).map(|group| group.iter().collect()).collect();
    Secret::new(groups.join("-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_counts_and_the_name_is_no_password() {
        for good in ["correct horse", "aaaaaaaaaaaa", "パスワードパスワードパス", one_time_password().expose()]
        {
            assert_eq!(check_password(good, "ann"), Ok(()), "{good}");
        }
        for (bad, why) in [("", "at least 12"), ("elevenchars", "at least 12"), ("Administrator", "the name")] {
            assert!(check_password(bad, "administrator").unwrap_err().contains(why), "{bad}");
        }
        assert!(check_password(&"x".repeat(257), "ann").unwrap_err().contains("at most 256"));
    }
}
