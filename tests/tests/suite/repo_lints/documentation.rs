//! The documentation agrees with the repository and with the binary's help.

use super::{collect_files, markdown_files, root};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use trunkline_tests::run;

/// Flags in the documentation that belong to other programs.
const FOREIGN_FLAGS: &[&str] = &[
    // ./test
    "--sqlite",
    "--postgres",
    "--faults",
    // cargo and cargo-nextest
    "--release",
    "--package",
    "--features",
    "--bin",
    "--ignore-default-filter",
    "--workspace",
    "--all-targets",
    // trunkline-bench
    "--markdown",
    "--only",
    "--quick",
    "--rounds",
    "--seconds",
];

/// Back-ticked spans of a document.
fn code_spans(text: &str) -> Vec<&str> {
    let mut spans = Vec::new();
    for line in text.lines() {
        spans.extend(line.split('`').skip(1).step_by(2));
    }
    spans
}

fn is_path(span: &str) -> bool {
    let is_path_character =
        |character: char| character.is_alphanumeric() || "._-/".contains(character);
    span.contains('/') && !span.starts_with('/') && span.chars().all(is_path_character)
}

/// `true` if a path of the documentation exists. Paths are relative to the root, or begin with the name of
/// a crate (then `src/` and `.rs` may be left out) or with `migrations`. Other paths are not of the
/// repository.
fn exists_if_of_repository(span: &str) -> bool {
    let path = span.trim_start_matches("./").trim_end_matches('/');
    let (first, rest) = path.split_once('/').unwrap_or((path, ""));
    let source_crate = root().join("crates").join(first);
    if source_crate.is_dir() {
        let source = source_crate.join("src").join(rest);
        let with_extension = Path::new(&format!("{}.rs", source.display())).exists();
        return source_crate.join(rest).exists() || source.exists() || with_extension;
    }
    if first == "migrations" {
        return root().join("crates/store").join(path).exists();
    }
    let is_top_level = root().join(first).exists() && !first.is_empty();
    !is_top_level || root().join(path).exists()
}

#[test]
fn paths_in_the_documentation_exist() {
    let mut missing = Vec::new();
    for (file, text) in markdown_files() {
        if file.ends_with("CHANGELOG.md") {
            continue;
        }
        let paths = code_spans(&text).into_iter().filter(|span| is_path(span));
        let wrong = paths.filter(|path| !exists_if_of_repository(path));
        missing.extend(wrong.map(|path| format!("{}: {path}", file.display())));
    }
    assert!(missing.is_empty(), "paths that do not exist:\n{}", missing.join("\n"));
    assert!(
        exists_if_of_repository("crates/store/src/lib.rs")
            && exists_if_of_repository("store/lib.rs")
    );
    assert!(!exists_if_of_repository("crates/store/src/none.rs"), "this test can fail");
}

/// Output of `--help` of a command.
fn help(command: &[&str]) -> String {
    let output = run(&[command, &["--help"]].concat());
    assert!(output.status.success(), "{command:?} has no --help");
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn sub_commands(help: &str) -> Vec<String> {
    let list = help.split_once("\nCommands:\n").map(|(_, list)| list).unwrap_or_default();
    let lines = list.lines().take_while(|line| !line.is_empty());
    let names = lines.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    names.filter_map(|line| line.split_whitespace().next().map(str::to_owned)).collect()
}

/// Help of every command, by its words: `database check`. The program itself has no words.
fn all_help() -> BTreeMap<String, String> {
    let mut texts = BTreeMap::from([(String::new(), help(&[]))]);
    for command in sub_commands(&texts[""]) {
        if command == "help" {
            continue;
        }
        let text = help(&[&command]);
        for sub_command in sub_commands(&text) {
            if sub_command != "help" {
                texts.insert(format!("{command} {sub_command}"), help(&[&command, &sub_command]));
            }
        }
        texts.insert(command, text);
    }
    texts
}

/// Words of a text that begin with a prefix, up to the first character that cannot be part of a name.
fn words_with_prefix<'a>(text: &'a str, prefix: &'a str) -> impl Iterator<Item = &'a str> {
    let is_end = |character: char| !(character.is_ascii_alphanumeric() || "-_".contains(character));
    text.match_indices(prefix).filter_map(move |(index, _)| {
        let is_start = text[..index].chars().next_back().is_none_or(is_end);
        let word = text[index..].split(is_end).next().unwrap_or_default();
        (is_start && word.len() > prefix.len()).then_some(word.trim_end_matches('-'))
    })
}

#[test]
fn flags_and_variables_in_the_documentation_exist() {
    let help: String = all_help().into_values().collect();
    let mut known: BTreeSet<&str> = words_with_prefix(&help, "--").collect();
    known.extend(words_with_prefix(&help, "TRUNKLINE_"));
    known.extend(FOREIGN_FLAGS);
    // Variables of the tests and the benchmarks are read by them.
    let mut own_sources = Vec::new();
    for (folder, ending) in
        [("tests", ".rs"), ("tests", "with-postgres"), ("benches", ".rs"), ("crates", "tests.rs")]
    {
        collect_files(&root().join(folder), ending, &mut own_sources);
    }
    let own_sources: String =
        own_sources.iter().map(|path| fs::read_to_string(path).expect("a readable file")).collect();
    let mut unknown = BTreeSet::new();
    for (file, text) in markdown_files() {
        if file.ends_with("CHANGELOG.md") {
            continue;
        }
        for span in code_spans(&text)
            .into_iter()
            .chain(text.lines().filter(|line| line.starts_with("    ")))
        {
            let is_foreign_command = ["cargo", "curl", "./test", "psql", "sqlite3", "systemctl"]
                .iter()
                .any(|program| span.trim_start().starts_with(program));
            let flags = words_with_prefix(span, "--").filter(|_| !is_foreign_command);
            let variables = words_with_prefix(span, "TRUNKLINE_");
            let words = flags.chain(variables.filter(|name| !own_sources.contains(*name)));
            let wrong = words.filter(|word| !known.contains(word));
            unknown.extend(wrong.map(|word| format!("{}: {word}", file.display())));
        }
    }
    assert!(unknown.is_empty(), "neither a flag nor a variable of any command: {unknown:#?}");
}

#[test]
fn commands_in_the_documentation_exist() {
    let commands = all_help();
    let mut unknown = Vec::new();
    for (file, text) in markdown_files() {
        if file.ends_with("CHANGELOG.md") {
            continue;
        }
        let spans = code_spans(&text).into_iter().chain(text.lines());
        let calls = spans.filter_map(|span| {
            span.trim_start().trim_start_matches("$ ").strip_prefix("trunkline ")
        });
        for call in calls {
            let is_name = |word: &&str| {
                word.chars().all(|letter| letter.is_ascii_lowercase() || letter == '-')
            };
            let words: Vec<&str> = call.split_whitespace().take_while(is_name).collect();
            let flags_first = call.starts_with('-');
            let longest = words.iter().take_while(|word| !word.starts_with('-')).take(2);
            let longest = longest.copied().collect::<Vec<_>>().join(" ");
            let first = words.first().copied().unwrap_or_default();
            let has_sub_commands = commands.contains_key(first)
                && commands.keys().any(|known| known.starts_with(&format!("{first} ")));
            let is_known = if has_sub_commands {
                commands.contains_key(&longest)
            } else {
                commands.contains_key(first)
            };
            if !flags_first && !is_known {
                unknown.push(format!("{}: trunkline {call}", file.display()));
            }
        }
    }
    assert!(unknown.is_empty(), "commands that do not exist:\n{}", unknown.join("\n"));
}

#[test]
fn configuration_table_lists_the_flags_of_serve() {
    let text =
        fs::read_to_string(root().join("docs/configuration.md")).expect("docs/configuration.md");
    let mut documented = BTreeSet::new();
    for line in text.lines().filter(|line| line.starts_with("| `--")) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let flag = words_with_prefix(cells[1], "--").next().expect("a flag");
        let key = flag.trim_start_matches("--").replace('-', "_");
        assert_eq!(cells[2], format!("`TRUNKLINE_{}`", key.to_uppercase()), "variable of {flag}");
        assert_eq!(cells[3], format!("`{key}`"), "key of {flag}");
        documented.insert(flag.to_owned());
    }
    // The file cannot name itself.
    documented.insert("--config".to_owned());
    let help = help(&["serve"]);
    let options = help.split_once("Options:").map(|(_, options)| options).unwrap_or_default();
    let lines = options.lines().map(str::trim_start).filter(|line| line.starts_with('-'));
    let mut flags: BTreeSet<String> =
        lines.flat_map(|line| words_with_prefix(line, "--").take(1)).map(str::to_owned).collect();
    flags.remove("--help");
    assert_eq!(documented, flags, "left: docs/configuration.md, right: trunkline serve --help");
}
