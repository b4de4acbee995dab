//! Many hosts as somebody pasted them, one a line, and their parsing; pure.
//!
//! A line is `NAME DAEMON_URL [CAPACITY] [SETTING=VALUE ...]`, parted by spaces, tabs or commas, so that rows of a table and of a
//! spreadsheet's CSV will do. A value with spaces or commas stands in double quotes. What a line does not say is taken from
//! the settings for all. Blank lines, what follows a `#`, and a heading `name,daemon_url,...` are passed over.

use super::{Fault, HostInput};

/// The most hosts that are added at once: as many as are asked within `add_many`'s time.
pub const MOST_LINES: usize = 200;

/// The longest text, in bytes; a line with every setting has some 300.
pub const LONGEST_TEXT: usize = 96 * 1024;

/// The longest line, in bytes.
const LONGEST_LINE: usize = 2_000;

/// The settings that a line may give.
const SETTINGS: [&str; 10] = [
    "address",
    "bind_address",
    "capacity",
    "schedulable",
    "autofill",
    "mix",
    "log_level",
    "log_type",
    "log_server",
    "chaincode_endpoint",
];

/// One line that names a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its number in the text, from 1.
    pub number: usize,
    /// As it was pasted.
    pub text: String,
    /// What it says, or what is wrong with it.
    pub host: Result<HostInput, Vec<Fault>>,
}

/// The lines that name a host; `common` has the settings for all. An error is about the text as a whole.
pub fn parse_many(text: &str, common: &HostInput) -> Result<Vec<Line>, Fault> {
    let refuse = |why: String| Err(Fault::new("text", why));
    if text.len() > LONGEST_TEXT {
        return refuse(format!("is {} KiB long; at most {} are taken", text.len() / 1024, LONGEST_TEXT / 1024));
    }
    let lines = text.lines().enumerate().filter_map(|(n, line)| parse_line(n + 1, line, common));
    let lines: Vec<Line> = lines.collect();
    match lines.len() {
        0 => refuse("names no host".into()),
        n if n > MOST_LINES => refuse(format!("names {n} hosts; at most {MOST_LINES} are added at once")),
        _ => Ok(lines),
    }
}

/// `None` for a line that names no host.
fn parse_line(number: usize, text: &str, common: &HostInput) -> Option<Line> {
    let line = |host| Some(Line { number, text: text.trim().to_owned(), host });
    if text.len() > LONGEST_LINE {
        let cut: String = text.chars().take(60).collect();
        let why = format!("is longer than {LONGEST_LINE} characters");
        return Some(Line { number, text: format!("{cut}..."), host: Err(vec![Fault::new("line", why)]) });
    }
    let words = match words(text) {
        Ok(words) => words,
        Err(fault) => return line(Err(vec![fault])),
    };
    let heading = matches!(&words[..], [name, url, ..] if name == "name" && url == "daemon_url");
    if words.is_empty() || heading { None } else { line(host(words, common)) }
}

fn host(words: Vec<String>, common: &HostInput) -> Result<HostInput, Vec<Fault>> {
    let mut input = HostInput { name: String::new(), daemon_url: String::new(), ..common.clone() };
    let mut faults = Vec::new();
    let mut places = 0;
    for word in words {
        let setting = word.split_once('=').filter(|_| places >= 2);
        if let Some((key, value)) = setting {
            if let Err(fault) = set(&mut input, key, value) {
                faults.push(fault);
            }
            continue;
        }
        places += 1;
        match places {
            1 => input.name = word,
            2 => input.daemon_url = word,
            3 => input.capacity = word,
            _ => faults.push(Fault::new("line", format!("has one word too many: {word}"))),
        }
    }
    if places < 2 {
        faults.push(Fault::new("line", "needs a name and a daemon URL: NAME tcp://HOST:2375"));
    }
    if faults.is_empty() { Ok(input) } else { Err(faults) }
}

fn set(input: &mut HostInput, key: &str, value: &str) -> Result<(), Fault> {
    let text = value.to_owned();
    match key {
        "address" => input.address = text,
        "bind_address" => input.bind_address = text,
        "capacity" => input.capacity = text,
        "mix" => input.mix = text,
        "log_level" => input.log_level = text,
        "log_type" => input.log_type = text,
        "log_server" => input.log_server = text,
        "chaincode_endpoint" => input.chaincode_endpoint = text,
        "schedulable" => input.schedulable = truth(key, value)?,
        "autofill" => input.autofill = truth(key, value)?,
        _ => {
            let key: String = key.chars().take(64).collect();
            return Err(Fault::new(&key, format!("is not a setting; there are {}", SETTINGS.join(", "))));
        }
    }
    Ok(())
}

fn truth(key: &str, value: &str) -> Result<bool, Fault> {
    match value.to_ascii_lowercase().as_str() {
        "yes" | "true" | "on" | "1" => Ok(true),
        "no" | "false" | "off" | "0" => Ok(false),
        _ => Err(Fault::new(key, "must be yes or no")),
    }
}

/// A line's words; quotes hold one together and are left out.
fn words(line: &str) -> Result<Vec<String>, Fault> {
    let (mut words, mut word, mut quoted) = (Vec::new(), None::<String>, false);
    for letter in line.chars() {
        match letter {
            '"' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            '#' if !quoted && word.is_none() => break,
            ' ' | '\t' | '\r' | ',' | ';' if !quoted => words.extend(word.take()),
            letter => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word.take());
    if quoted { Err(Fault::new("line", "has a quote that is not closed")) } else { Ok(words) }
}

#[cfg(test)]
mod tests {
    use common::model::LogLevel;
    use proptest::prelude::*;

    use super::*;

    fn common() -> HostInput {
        HostInput { capacity: "7".into(), autofill: false, ..HostInput::blank(LogLevel::Info) }
    }

    fn one(line: &str) -> HostInput {
        parse_many(line, &common()).unwrap().remove(0).host.unwrap()
    }

    #[track_caller]
    fn refused(line: &str, field: &str, words: &str) {
        let faults = parse_many(line, &common()).unwrap().remove(0).host.unwrap_err();
        assert!(faults.iter().any(|f| f.field == field && f.reason.contains(words)), "{line}: {faults:?}");
    }

    #[test]
    fn a_line_is_a_name_a_url_and_what_differs_from_the_settings_for_all() {
        let plain = one("h1 tcp://10.0.0.1:2375");
        let expected = HostInput { name: "h1".into(), daemon_url: "tcp://10.0.0.1:2375".into(), ..common() };
        assert_eq!(plain, expected);
        let all =
            r#"h1 tcp://10.0.0.1:2375 3 address=h1.example autofill=yes mix="a=2:1, b=1" log_level=debug # rack 4"#;
        let all = one(all);
        let got = (all.capacity.as_str(), all.address.as_str(), all.autofill, all.mix.as_str(), all.log_level.as_str());
        assert_eq!(got, ("3", "h1.example", true, "a=2:1, b=1", "debug"));
    }

    #[test]
    fn rows_of_a_spreadsheet_will_do() {
        let text =
            "name,daemon_url,capacity\r\nh1,tcp://10.0.0.1:2375,3\r\n\r\n# old ones\r\nh2;tcp://10.0.0.2:2375\r\n";
        let lines = parse_many(text, &common()).unwrap();
        let short = |line: &Line| {
            let host = line.host.clone().unwrap();
            (line.number, host.name, host.daemon_url, host.capacity)
        };
        let expected = [(2, "h1", "tcp://10.0.0.1:2375", "3"), (5, "h2", "tcp://10.0.0.2:2375", "7")];
        let expected = expected.map(|(n, name, url, capacity)| (n, name.into(), url.into(), capacity.into()));
        assert_eq!(lines.iter().map(short).collect::<Vec<_>>(), expected);
        assert_eq!(lines[0].text, "h1,tcp://10.0.0.1:2375,3");
    }

    #[test]
    fn what_is_wrong_with_a_line_is_said_by_field() {
        refused("h1", "line", "needs a name and a daemon URL");
        refused("h1 tcp://10.0.0.1:2375 3 4", "line", "one word too many: 4");
        refused("h1 tcp://10.0.0.1:2375 colour=red", "colour", "is not a setting; there are address");
        refused("h1 tcp://10.0.0.1:2375 autofill=maybe", "autofill", "yes or no");
        refused("h1 tcp://10.0.0.1:2375 mix=\"a", "line", "quote");
        refused(&format!("h1 tcp://10.0.0.1:2375 {}", "x".repeat(LONGEST_LINE)), "line", "longer");
    }

    #[test]
    fn texts_are_bounded() {
        assert!(parse_many("# nothing\n\n", &common()).unwrap_err().reason.contains("names no host"));
        let many = "h tcp://10.0.0.1:2375\n".repeat(MOST_LINES + 1);
        assert!(parse_many(&many, &common()).unwrap_err().reason.contains("names 201 hosts; at most 200"));
        assert!(parse_many(&"#".repeat(LONGEST_TEXT + 1), &common()).is_err());
    }

    proptest! {
        #[test]
        fn nothing_that_is_pasted_breaks_it(text in ".{0,300}") {
            let _any = parse_many(&text, &common());
        }
    }
}
