//! Names and first words that the repository no longer uses.

use super::{collect_files, markdown_files, root, sources};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;

/// Old names and their replacements: see the head of the file.
const OLD_NAMES: &str = include_str!("old_names.txt");
/// First words of a doc comment that hide the noun it defines.
const RELATIVE_WORDS: [&str; 11] = [
    "What",
    "Who",
    "Whose",
    "Whom",
    "Whoever",
    "Whether",
    "Wherever",
    "How",
    "Why",
    "Whichever",
    "Whatever",
];

/// Old names of one scope with their replacements.
fn old_names(scope: &str) -> BTreeMap<&'static str, &'static str> {
    let entries = OLD_NAMES.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let fields = entries.map(|line| {
        let mut fields = line.split('\t');
        let mut next = || fields.next().unwrap_or_else(|| panic!("three fields in: {line}"));
        (next(), next(), next())
    });
    let of_scope = fields.filter(|(known, ..)| {
        assert!(["code", "prose"].contains(known), "unknown scope: {known}");
        *known == scope
    });
    of_scope.map(|(_, old, new)| (old, new)).collect()
}

fn identifiers(text: &str) -> impl Iterator<Item = &str> {
    text.split(|character: char| !(character.is_alphanumeric() || character == '_'))
}

/// Splits a line of Rust into code without string contents, and the comment.
pub(super) fn split_comment(line: &str) -> (String, &str) {
    let mut code = String::new();
    let mut in_string = false;
    let mut previous = ' ';
    for (index, character) in line.char_indices() {
        match character {
            '"' if previous != '\\' && previous != '\'' => {
                in_string = !in_string;
                code.push('"');
            }
            '/' if !in_string && previous == '/' => return (code, &line[index + 1..]),
            _ if !in_string => code.push(character),
            _ => {}
        }
        previous = if previous == '\\' && character == '\\' { ' ' } else { character };
    }
    (code, "")
}

fn report_old_names(
    text: &str,
    names: &BTreeMap<&str, &str>,
    place: &str,
    found: &mut Vec<String>,
) {
    let used: BTreeSet<&str> = identifiers(text).filter(|word| names.contains_key(word)).collect();
    for old in used {
        found.push(format!("{place}: {old} is now {}", names[old]));
    }
}

#[test]
fn old_names_are_not_used() {
    let code_names = old_names("code");
    let prose_names = old_names("prose");
    let mut found = Vec::new();
    for (path, text) in sources() {
        let path = path.strip_prefix(root()).expect("a source of the repository").display();
        for (index, line) in text.lines().enumerate() {
            let place = format!("{path}:{}", index + 1);
            let (code, comment) = split_comment(line);
            report_old_names(&code, &code_names, &place, &mut found);
            report_old_names(&comment.to_lowercase(), &prose_names, &place, &mut found);
        }
    }
    for (path, text) in markdown_files() {
        if path.ends_with("CHANGELOG.md") {
            continue;
        }
        for (index, line) in text.lines().enumerate() {
            let place = format!("{}:{}", path.display(), index + 1);
            report_old_names(&line.to_lowercase(), &prose_names, &place, &mut found);
        }
    }
    assert!(found.is_empty(), "{} uses of old names:\n{}", found.len(), found.join("\n"));
}

#[test]
fn old_names_are_found_in_code_and_prose_but_not_in_strings() {
    let names = BTreeMap::from([("Desk", "BatchLookups")]);
    let find = |line: &str| {
        let (code, _) = split_comment(line);
        let mut found = Vec::new();
        report_old_names(&code, &names, "here", &mut found);
        found.len()
    };
    assert_eq!(find("let desk: Desk = Desk::new();"), 1);
    assert_eq!(find("let text = \"the Desk\"; // Desk"), 0);
    assert_eq!(find("struct DeskLamp;"), 0);
    assert_eq!(split_comment("a(\"// no comment\"); // b"), ("a(\"\"); /".to_owned(), " b"));
}

#[test]
fn doc_comments_begin_with_a_noun_or_a_verb() {
    let mut found = Vec::new();
    for (path, text) in sources() {
        for (index, line) in text.lines().enumerate() {
            let line = line.trim_start();
            let doc = line.strip_prefix("/// ").or_else(|| line.strip_prefix("//! "));
            let first = doc.and_then(|doc| identifiers(doc).next());
            if first.is_some_and(|first| RELATIVE_WORDS.contains(&first)) {
                found.push(format!("{}:{}: {line}", path.display(), index + 1));
            }
        }
    }
    assert!(found.is_empty(), "{} doc comments:\n{}", found.len(), found.join("\n"));
}

#[test]
fn source_documents_are_not_named_by_path() {
    // Assembled, so that this file does not contain it.
    let directory = ["seeds", "/"].concat();
    let mut paths = Vec::new();
    for folder in ["crates", "tests", "benches", "docs"] {
        for ending in [".rs", ".md", ".sql", ".toml", ".http"] {
            collect_files(&root().join(folder), ending, &mut paths);
        }
    }
    let named = paths.into_iter().filter(|path| {
        let text = fs::read_to_string(path).expect("a readable file");
        text.contains(&directory)
    });
    let named: Vec<String> = named.map(|path| path.display().to_string()).collect();
    assert!(named.is_empty(), "name the document by its title and date: {named:#?}");
}
