//! What can be chosen of a template, and how its author is told what is wrong.

use super::testing::id;
use super::{Template, TemplateError};

const BODY: &str = "\n---\nservices: {a: {image: i}, b: {image: i}}\n";

fn parse(text: &str) -> Result<Template, TemplateError> {
    Template::parse(id("t"), text)
}

/// The flavors of a template with these parameters, without its name.
fn flavors(parameters: &str) -> String {
    let template = parse(&format!("x-poolmanager: {{title: T, {parameters}}}{BODY}")).expect(parameters);
    let ids: Vec<String> = template.flavors().iter().map(|flavor| flavor.id.to_string()).collect();
    ids.join(" ")
}

#[test]
fn every_combination_is_a_flavor_the_defaults_first() {
    assert_eq!(flavors(""), "t");
    assert_eq!(flavors("parameters: {a: {values: [x]}}"), "t-x");
    assert_eq!(flavors("parameters: {a: {values: [x, y]}, b: {values: [1, 2]}}"), "t-x-1 t-x-2 t-y-1 t-y-2");
    assert_eq!(flavors("parameters: {a: {values: [x, y, z], default: y}}"), "t-y t-x t-z");
}

#[test]
fn a_parameter_may_need_another_and_a_combination_may_be_left_out() {
    let plugin = "p: {values: [pbft, noops, raft]}";
    assert_eq!(
        flavors(&format!("parameters: {{{plugin}, m: {{values: [b, c], when: {{p: pbft}}}}}}")),
        "t-pbft-b t-pbft-c t-noops t-raft"
    );
    assert_eq!(
        flavors(&format!("parameters: {{{plugin}, m: {{values: [b], when: {{p: [pbft, raft]}}}}}}")),
        "t-pbft-b t-noops t-raft-b"
    );
    assert_eq!(
        flavors("parameters: {a: {values: [x, y]}, size: {values: [4, 6]}}, except: [{a: y, size: 6}]"),
        "t-x-4 t-x-6 t-y-4"
    );
}

#[test]
fn the_size_is_the_parameter_or_the_number_of_services() {
    let one = |text: &str| parse(text).expect(text).flavors()[0].size;
    assert_eq!(one(&format!("x-poolmanager: {{title: T}}{BODY}")), 2);
    assert_eq!(one(&format!("x-poolmanager: {{title: T, parameters: {{size: {{values: [7]}}}}}}{BODY}")), 7);
}

#[test]
fn titles_are_rendered_or_made_of_the_values() {
    let title =
        |block: &str| parse(&format!("x-poolmanager: {{{block}}}{BODY}")).expect(block).flavors()[0].title.clone();
    let parameters = "parameters: {a: {values: [x]}, size: {values: [4]}}";
    assert_eq!(title(&format!("title: T, {parameters}")), "T, x, 4");
    assert_eq!(
        title(&format!("title: T, flavor_title: \"{{{{ title }}}} of {{{{ size + 1 }}}}\", {parameters}")),
        "T of 5"
    );
}

#[test]
fn parameters_can_be_read_without_rendering() {
    let template =
        parse(&format!("x-poolmanager: {{title: T, parameters: {{a_b: {{values: [x, y]}}}}}}{BODY}")).expect("good");
    let parameter = &template.parameters()[0];
    assert_eq!((parameter.name.as_str(), parameter.title.as_str()), ("a_b", "a b"));
    assert_eq!(parameter.values, ["x", "y"]);
    assert_eq!(template.title(), "T");
}

#[test]
fn the_digest_follows_the_text_and_the_values() {
    let text = format!("x-poolmanager: {{title: T, parameters: {{a: {{values: [x, y]}}}}}}{BODY}");
    let flavors = parse(&text).expect("good").flavors();
    assert_ne!(flavors[0].digest, flavors[1].digest);
    assert_eq!(flavors, parse(&text).expect("good").flavors());
    assert_ne!(flavors[0].digest, parse(&format!("{text}# more\n")).expect("good").flavors()[0].digest);
}

#[test]
fn a_bad_first_document_is_told_by_field_and_line() {
    for (front, line, path, words) in [
        ("title: T", Some(1), "title", "not known here"),
        ("x-poolmanager:\n  titel: T", Some(2), "x-poolmanager.titel", "not known here"),
        ("x-poolmanager:\n  parameters: {}", Some(1), "x-poolmanager.title", "is missing"),
        (
            "x-poolmanager:\n  title: T\n  parameters:\n    A: {values: [x]}",
            Some(4),
            "x-poolmanager.parameters.A",
            "lower-case",
        ),
        (
            "x-poolmanager:\n  title: T\n  parameters:\n    size:\n      values: [4, x]",
            Some(5),
            "x-poolmanager.parameters.size.values[1]",
            "whole number",
        ),
        (
            "x-poolmanager:\n  title: T\n  parameters:\n    a:\n      values: [X]",
            Some(5),
            "x-poolmanager.parameters.a.values[0]",
            "lower-case",
        ),
        (
            "x-poolmanager:\n  title: T\n  parameters:\n    a:\n      values: [x, x]",
            Some(5),
            "x-poolmanager.parameters.a.values[1]",
            "twice",
        ),
        (
            "x-poolmanager:\n  title: T\n  parameters:\n    a:\n      values: []",
            Some(5),
            "x-poolmanager.parameters.a.values",
            "at least one",
        ),
        (
            "x-poolmanager:\n  title: T\n  parameters:\n    a:\n      values: [x]\n      default: y",
            Some(6),
            "x-poolmanager.parameters.a.default",
            "none of its values",
        ),
        (
            "x-poolmanager:\n  title: T\n  parameters:\n    a:\n      values: [x]\n      when: {b: x}",
            Some(6),
            "x-poolmanager.parameters.a.when.b",
            "no parameter of this name above",
        ),
        (
            "x-poolmanager:\n  title: T\n  parameters:\n    project:\n      values: [x]",
            Some(4),
            "x-poolmanager.parameters.project",
            "choose another",
        ),
        (
            "x-poolmanager:\n  title: T\n  parameters: {a: {values: [x]}}\n  except: [{a: x}]",
            Some(1),
            "x-poolmanager",
            "no combination",
        ),
        ("x-poolmanager: {title: T}\nservices: {}", Some(2), "services", "not known here"),
        ("x-poolmanager: {title: T\n", None, "", "is not YAML"),
        ("x-poolmanager:\n  title: T\n  title: U", Some(3), "", "is not YAML"),
        (
            "x-poolmanager:\n  title: T\n  flavor_title: \"{{ colour }}\"",
            Some(3),
            "x-poolmanager.flavor_title",
            "unknown parameter \"colour\"",
        ),
    ] {
        let error = parse(&format!("{front}{BODY}")).expect_err(front);
        assert_eq!(error.path, path, "{front}: {error}");
        assert!(error.message.contains(words), "{front}: {error}");
        assert!(line.is_none() || error.line == line, "{front}: {error}");
    }
}

#[test]
fn a_bad_tera_text_is_told_by_the_line_of_the_whole_file() {
    for (body, line, words) in [
        ("a: 1\nb: {{ colour }}", Some(6), "unknown parameter \"colour\"; there are: a, "),
        ("a: 1\nb:\n{% if colour %}\n{% endif %}", Some(7), "unknown parameter \"colour\""),
        ("a: {{ a", Some(5), ""),
        ("a: 1\n{% for n in 4 %}\n{% endfor %}", Some(6), ""),
        ("a: {{ a | nosuch }}", None, "nosuch"),
    ] {
        let error = parse(&format!(
            "# a comment\nx-poolmanager:\n  {{title: T, parameters: {{a: {{values: [x]}}}}}}\n---\n{body}\n"
        ));
        let error = error.expect_err(body);
        assert!(error.message.contains(words), "{body}: {error}");
        assert!(line.is_none() || error.line == line, "{body}: {error} {:?}", error.line);
    }
}

#[test]
fn a_template_of_one_document_is_refused_with_the_way_to_write_it() {
    for text in ["", "---\n", "x-poolmanager: {title: T}\n", "# a\n---\n# b\n"] {
        assert!(parse(text).expect_err(text).message.contains("two documents"), "{text}");
    }
    assert!(parse(&format!("---\n# a comment\nx-poolmanager: {{title: T}}{BODY}")).is_ok());
}

#[test]
fn too_many_flavors_are_refused() {
    let values = (0..11).map(|n| format!("v{n}")).collect::<Vec<_>>().join(", ");
    let parameters = ["a", "b", "c", "d"].map(|name| format!("{name}: {{values: [{values}]}}")).join(", ");
    let error = parse(&format!("x-poolmanager: {{title: T, parameters: {{{parameters}}}}}{BODY}")).expect_err("14641");
    assert!(error.message.contains("more than 100"), "{error}");
}
