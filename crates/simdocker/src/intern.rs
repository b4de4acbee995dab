//! Texts that many containers have in common, held once: a thousand hosts repeat the same labels and settings.

use std::collections::HashSet;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

/// All texts that are held, and how many there may be before those that nobody has any more are let go.
struct Held {
    texts: HashSet<Arc<str>>,
    until: usize,
}

/// Fewer are not worth a look.
const LEAST: usize = 4096;

static HELD: LazyLock<Mutex<Held>> = LazyLock::new(|| Mutex::new(Held { texts: HashSet::new(), until: LEAST }));

/// The one copy of a text.
pub(crate) fn intern(text: &str) -> Arc<str> {
    let mut held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(same) = held.texts.get(text) {
        return same.clone();
    }
    if held.texts.len() >= held.until {
        held.texts.retain(|text| Arc::strong_count(text) > 1);
        held.until = LEAST.max(2 * held.texts.len());
    }
    let text: Arc<str> = text.into();
    held.texts.insert(text.clone());
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_held_once_and_let_go_with_its_last_holder() {
        let (one, two) = (intern("a text of this test"), intern("a text of this test"));
        assert!(Arc::ptr_eq(&one, &two));
        for number in 0..3 * LEAST {
            intern(&format!("a text of this test, {number}"));
        }
        let held = HELD.lock().unwrap();
        assert!(held.texts.len() < 2 * LEAST && held.texts.contains("a text of this test"), "{}", held.texts.len());
    }
}
