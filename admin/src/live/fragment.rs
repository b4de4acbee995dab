//! A page's live part as it was rendered, and as one session gets it.

use std::sync::{Arc, LazyLock};

use sha2::{Digest, Sha256};

/// Stands for a session's own token in what is rendered for all. Made anew by each process, so that nobody can write it
/// into a name and have it replaced by somebody's token.
pub static TOKEN: LazyLock<String> = LazyLock::new(|| format!("token-{}", hex::encode(rand::random::<[u8; 16]>())));

/// A live part.
#[derive(Debug, PartialEq, Eq)]
pub struct Fragment {
    /// The same for the same text, in every admin of the pool: what a browser shows to be caught up, or not.
    pub id: String,
    text: String,
}

/// What is known of a page: its last live part, and what keeps a newer one from being made.
#[derive(Clone, Debug, Default)]
pub struct Shown {
    /// `None` until it was rendered for the first time.
    pub fragment: Option<Arc<Fragment>>,
    /// Why it may be out of date.
    pub trouble: Option<Arc<str>>,
}

impl Shown {
    /// Takes over what is newer; whether anything is. What is out of date stays, with the reason for it.
    pub fn become_newer(&mut self, newest: Shown) -> bool {
        let id = |fragment: &Option<Arc<Fragment>>| fragment.as_ref().map(|fragment| fragment.id.clone());
        let another = newest.fragment.is_some() && id(&newest.fragment) != id(&self.fragment);
        let changed = another || self.trouble != newest.trouble;
        if another {
            self.fragment = newest.fragment;
        }
        self.trouble = newest.trouble;
        changed
    }
}

impl Fragment {
    /// Of a text with [`TOKEN`] in it.
    pub fn new(text: String) -> Fragment {
        let hash = Sha256::digest(text.replace(TOKEN.as_str(), ""));
        Fragment { id: hex::encode(&hash[..8]), text }
    }

    /// As an unnamed event for a session with this token.
    pub fn to_event(&self, token: &str) -> String {
        event(None, Some(&self.id), &self.text.replace(TOKEN.as_str(), token))
    }
}

/// A server-sent event. Whatever ends a line for a browser ends one here, so that no text can begin a field of its own.
pub fn event(name: Option<&str>, id: Option<&str>, data: &str) -> String {
    let mut out = String::with_capacity(data.len() + data.len() / 8 + 64);
    let mut line = |field: &str, value: &str| {
        for part in [field, ": ", value, "\n"] {
            out.push_str(part);
        }
    };
    if let Some(name) = name {
        line("event", name);
    }
    if let Some(id) = id {
        line("id", id);
    }
    for text in data.split(['\n', '\r']) {
        line("data", text);
    }
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_can_begin_a_field_of_its_own() {
        let sent = event(None, Some("1"), "a\rid: 2\nevent: x\r\n\nb");
        let fields: Vec<&str> = sent.split(['\n', '\r']).filter(|line| !line.is_empty()).collect();
        assert_eq!(fields, ["id: 1", "data: a", "data: id: 2", "data: event: x", "data: ", "data: ", "data: b"]);
        assert!(sent.ends_with("b\n\n"));
    }

    #[test]
    fn only_another_text_and_another_trouble_are_news() {
        let of = |text: &str| Shown { fragment: Some(Arc::new(Fragment::new(text.into()))), trouble: None };
        let away = || Shown { fragment: None, trouble: Some("the store is away".into()) };
        let mut shown = Shown::default();
        assert!(shown.become_newer(of("a")));
        assert!(!shown.become_newer(of("a")), "equal renders are not sent");
        assert!(shown.become_newer(away()));
        assert!(!shown.become_newer(away()));
        assert_eq!(shown.fragment, of("a").fragment, "what is out of date is still shown");
        assert!(shown.become_newer(of("a")), "that it is up to date again is news");
        assert!(shown.become_newer(of("b")));
    }

    #[test]
    fn each_session_gets_its_own_token_and_the_same_id() {
        let fragment = Fragment::new(format!("<input value=\"{}\">", *TOKEN));
        assert_eq!(fragment.to_event("hers"), format!("id: {}\ndata: <input value=\"hers\">\n\n", fragment.id));
        assert_eq!(fragment.id, Fragment::new("<input value=\"\">".into()).id, "another process has another token");
    }
}
