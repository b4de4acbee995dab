//! References of images.

use std::sync::LazyLock;

use regex::Regex;

use super::ComposeError;
use super::at::At;

/// `[registry[:port]/]name[/name...][:tag][@digest]`, as Docker has it. Not the compose-spec crate's type, which
/// refuses a registry with a port.
static REFERENCE: LazyLock<Regex> = LazyLock::new(|| {
    let part = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*";
    let registry = r"(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?(?::[0-9]{1,5})?/)?";
    let tag = "(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?";
    let digest = "(?:@sha256:[0-9a-f]{64})?";
    Regex::new(&format!("^{registry}{part}(?:/{part})*{tag}{digest}$")).expect("a constant that the tests compile")
});

/// Reads an image's reference.
pub(super) fn read(at: &At<'_>) -> Result<String, ComposeError> {
    let text = at.text()?;
    if text.len() <= 255 && REFERENCE.is_match(&text) {
        Ok(text)
    } else {
        at.refuse(format!("{text:?} is no image like name:tag or registry:5000/name:tag"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_read_as_docker_does() {
        let digest = format!("peer@sha256:{}", "0a".repeat(32));
        let good = [
            "peer",
            "hyperledger/fabric-peer:x86_64-0.6.1-preview",
            "localhost:5000/tools:2.5",
            "registry.example.com/a/b_c/d-e",
            &digest,
        ];
        for text in good {
            assert!(read(&At::new("", &text.into())).is_ok(), "{text}");
        }
        for text in ["", "Peer", "peer:", "peer:a b", "/peer", "a//b", "peer@sha256:0a", "http://x/y", "peer\n"] {
            assert!(read(&At::new("", &text.into())).is_err(), "{text:?}");
        }
    }
}
