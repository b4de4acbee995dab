//! A host's mix between its texts and the model: `flavor=weight:min_free, ...` in a form, a list of objects in JSON.

use common::model::{FlavorId, FlavorShare, InvalidText};
use serde_json::Value;

use super::Fault;

/// Weights are shares, so larger ones say nothing that smaller ones cannot.
const MAX_WEIGHT: u32 = 1000;

/// The text of a mix, as a form has it.
pub fn mix_text(mix: &[FlavorShare]) -> String {
    let parts: Vec<String> = mix
        .iter()
        .map(|share| match share.min_free {
            0 => format!("{}={}", share.flavor, share.weight),
            min => format!("{}={}:{min}", share.flavor, share.weight),
        })
        .collect();
    parts.join(", ")
}

/// The text of a mix that came as JSON: `[{"flavor": ..., "weight": 1, "min_free": 0}]`, both numbers as they are here
/// when they are left out.
pub fn mix_of_json(list: &[Value]) -> Result<String, Fault> {
    let refuse = |why: &str| Fault::new("mix", format!("must be a list of {{flavor, weight, min_free}}: {why}"));
    let mut parts = Vec::new();
    for item in list {
        let Some(item) = item.as_object() else { return Err(refuse("an item is no object")) };
        if let Some(other) = item.keys().find(|key| !["flavor", "weight", "min_free"].contains(&key.as_str())) {
            let other: String = other.chars().take(64).collect();
            return Err(refuse(&format!("{other} is not a field of an item")));
        }
        let flavor = item.get("flavor").and_then(Value::as_str).ok_or_else(|| refuse("an item has no flavor"))?;
        let flavor = FlavorId::parse(flavor).map_err(|why| refuse(&format!("a flavor {why}")))?;
        let number = |name: &str, usual: u64| match item.get(name) {
            None | Some(Value::Null) => Ok(usual),
            Some(value) => value.as_u64().ok_or_else(|| refuse(&format!("{name} of {flavor} is no whole number"))),
        };
        parts.push(format!("{flavor}={}:{}", number("weight", 1)?, number("min_free", 0)?));
    }
    Ok(parts.join(","))
}

/// Takes the text of a mix; empty is the pool's own mix. Every flavor must be one of `known`, and the minima together
/// must fit the host.
pub fn parse_mix(text: &str, known: &[FlavorId], capacity: Option<u16>) -> Result<Vec<FlavorShare>, InvalidText> {
    let refuse = |why: String| Err(InvalidText(format!("must be FLAVOR=WEIGHT:MIN_FREE, ... : {why}")));
    let mut mix: Vec<FlavorShare> = Vec::new();
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let (flavor, numbers) = part.split_once('=').unwrap_or((part, "1"));
        let (weight, min_free) = numbers.split_once(':').unwrap_or((numbers, "0"));
        let shown: String = flavor.trim().chars().take(64).collect();
        let Ok(flavor) = FlavorId::parse(flavor.trim()) else {
            return refuse(format!("{shown:?} is no flavor's name"));
        };
        if !known.contains(&flavor) {
            let known: Vec<&str> = known.iter().map(FlavorId::as_str).collect();
            return Err(InvalidText(format!("names {flavor}, which is no flavor; these are: {}", known.join(", "))));
        }
        let Some(weight) = number(weight) else {
            return refuse(format!("the weight of {flavor} must be a whole number from 0 to {MAX_WEIGHT}"));
        };
        let Some(min_free) = number(min_free) else {
            return refuse(format!("the minimum of {flavor} must be a whole number from 0 to {MAX_WEIGHT}"));
        };
        if mix.iter().any(|share| share.flavor == flavor) {
            return refuse(format!("{flavor} is there twice"));
        }
        mix.push(FlavorShare { flavor, weight, min_free });
    }
    if !mix.is_empty() && mix.iter().all(|share| share.weight == 0 && share.min_free == 0) {
        return refuse("every weight and minimum is 0; to keep the host empty, turn \"keep filled\" off".into());
    }
    let least: u32 = mix.iter().map(|share| share.min_free).sum();
    match capacity {
        Some(capacity) if least > u32::from(capacity) => Err(InvalidText(format!(
            "asks for at least {least} free clusters, and the capacity is {capacity}: raise that or lower these"
        ))),
        Some(_) | None => Ok(mix),
    }
}

fn number(text: &str) -> Option<u32> {
    let text = text.trim();
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|n| digits && *n <= MAX_WEIGHT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn known() -> Vec<FlavorId> {
        ["noops", "pbft-4"].iter().map(|name| FlavorId::parse(name).unwrap()).collect()
    }

    fn parse(text: &str) -> Result<String, String> {
        parse_mix(text, &known(), Some(5)).map(|mix| mix_text(&mix)).map_err(|why| why.0)
    }

    #[test]
    fn a_mix_is_read_as_it_is_written() {
        for (text, read) in [
            ("", ""),
            (" , ", ""),
            ("noops", "noops=1"),
            ("noops=2,pbft-4=0:1", "noops=2, pbft-4=0:1"),
            ("pbft-4 = 3 : 2 , noops=1:3", "pbft-4=3:2, noops=1:3"),
        ] {
            assert_eq!(parse(text).as_deref(), Ok(read), "{text}");
        }
    }

    #[test]
    fn each_mistake_is_told_in_its_own_words() {
        for (text, words) in [
            ("pbft-7", "names pbft-7, which is no flavor; these are: noops, pbft-4"),
            ("A B=1", "is no flavor's name"),
            ("noops=x", "the weight of noops"),
            ("noops=-1", "the weight of noops"),
            ("noops=1001", "the weight of noops"),
            ("noops=1:x", "the minimum of noops"),
            ("noops,noops", "noops is there twice"),
            ("noops=0,pbft-4=0", "every weight and minimum is 0"),
            ("noops=1:3,pbft-4=1:3", "at least 6 free clusters, and the capacity is 5"),
        ] {
            let said = parse(text).unwrap_err();
            assert!(said.contains(words), "{text}: {said}");
        }
    }

    #[test]
    fn json_has_the_same_mix_as_a_list() {
        let list = json!([{"flavor": "noops", "weight": 2, "min_free": 1}, {"flavor": "pbft-4"}]);
        assert_eq!(mix_of_json(list.as_array().unwrap()).as_deref(), Ok("noops=2:1,pbft-4=1:0"));
        for wrong in [json!([1]), json!([{}]), json!([{"flavor": "a,b"}]), json!([{"flavor": "noops", "wait": 1}])] {
            assert_eq!(mix_of_json(wrong.as_array().unwrap()).unwrap_err().field, "mix", "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_taken_or_refused(text in ".{0,60}") {
            if let Ok(mix) = parse_mix(&text, &known(), Some(5)) {
                prop_assert_eq!(parse_mix(&mix_text(&mix), &known(), Some(5)).unwrap(), mix);
            }
        }
    }
}
