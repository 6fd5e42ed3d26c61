//! Repository conventions that are checked by machine.

mod documentation;
mod imports;
mod naming;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Maximum length of a function, in lines.
const MAX_FUNCTION_LINES: usize = 70;
/// Maximum length of a source file without its unit tests, in lines.
const MAX_FILE_LINES: usize = 500;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a workspace").to_owned()
}

fn collect_files(below: &Path, ending: &str, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(below).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            collect_files(&path, ending, paths);
        } else if name.ends_with(ending) {
            paths.push(path);
        }
    }
}

fn sources() -> Vec<(PathBuf, String)> {
    let mut paths = Vec::new();
    for folder in ["crates", "tests", "benches", "fuzz"] {
        let folder = root().join(folder);
        if folder.is_dir() {
            collect_files(&folder, ".rs", &mut paths);
        }
    }
    assert!(paths.len() > 50, "the sources are where this test looks for them");
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).expect("a readable file");
        (path, text)
    };
    paths.into_iter().map(read).collect()
}

/// Markdown files of the repository with their text. The paths are relative to the root.
fn markdown_files() -> Vec<(PathBuf, String)> {
    let mut paths = Vec::new();
    collect_files(&root(), ".md", &mut paths);
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).expect("a readable file");
        (path.strip_prefix(root()).expect("a file of the repository").to_owned(), text)
    };
    paths.into_iter().map(read).collect()
}

fn is_test(path: &Path) -> bool {
    let relative = path.strip_prefix(root()).unwrap_or(path);
    relative.components().any(|part| part.as_os_str() == "tests") || path.ends_with("tests.rs")
}

#[test]
fn source_files_are_short() {
    let mut long = Vec::new();
    for (path, text) in sources() {
        let code = text.lines().take_while(|line| *line != "#[cfg(test)]").count();
        if code > MAX_FILE_LINES && !is_test(&path) {
            long.push(format!("{}: {code} lines", path.display()));
        }
    }
    assert!(long.is_empty(), "files over {MAX_FILE_LINES} lines:\n{}", long.join("\n"));
}

/// Start line and length of long functions. Relies on rustfmt: a body ends at the brace with the
/// indentation of the function.
fn long_functions(text: &str) -> Vec<(usize, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut long = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let code = line.trim_start();
        let tokens: Vec<&str> = code.split_whitespace().take(5).collect();
        let is_function = tokens.contains(&"fn") && !code.starts_with("//");
        if !is_function {
            continue;
        }
        let end = format!("{}}}", &line[..line.len() - code.len()]);
        let rest = lines.iter().skip(start);
        let length = rest.take_while(|line| **line != end).count() + 1;
        let one_line = code.ends_with('}') || code.ends_with(';');
        if length > MAX_FUNCTION_LINES && !one_line {
            long.push((start + 1, length));
        }
    }
    long
}

#[test]
fn functions_are_short() {
    let mut long = Vec::new();
    for (path, text) in sources() {
        for (line, length) in long_functions(&text) {
            long.push(format!("{}:{line}: {length} lines", path.display()));
        }
    }
    assert!(long.is_empty(), "functions over {MAX_FUNCTION_LINES} lines:\n{}", long.join("\n"));
    let sample = format!("fn a() {{\n{}}}\n", "    b();\n".repeat(MAX_FUNCTION_LINES));
    assert_eq!(long_functions(&sample), [(1, MAX_FUNCTION_LINES + 2)], "this test can fail");
}

#[test]
fn file_names_describe_their_contents() {
    let empty = ["util", "utils", "helper", "helpers", "common", "manager", "service", "misc"];
    for (path, _) in sources() {
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        assert!(
            !empty.contains(&stem),
            "{}: the file name does not describe the contents",
            path.display()
        );
    }
}

/// Manifest and workspace dependencies of each crate.
fn manifests() -> BTreeMap<String, (String, BTreeSet<String>)> {
    let mut paths = Vec::new();
    collect_files(&root().join("crates"), "Cargo.toml", &mut paths);
    let mut crates = BTreeMap::new();
    for path in paths {
        let text = fs::read_to_string(&path).expect("a manifest");
        let name = text.lines().find_map(|line| line.strip_prefix("name = \""));
        let name = name.expect("a name").trim_end_matches('"').to_owned();
        let dependencies = text.split("\n[").find(|part| part.starts_with("dependencies]"));
        let own_crates = dependencies.unwrap_or_default().lines().filter_map(|line| {
            let name = line.strip_prefix("trunkline-")?;
            Some(name.split([' ', '.', '=']).next()?.to_owned())
        });
        crates.insert(name, (text.clone(), own_crates.collect()));
    }
    crates
}

#[test]
fn crate_table_matches_the_manifests() {
    let map = fs::read_to_string(root().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md");
    let mut drawn = BTreeMap::new();
    for line in map.lines().filter(|line| line.starts_with("| `trunkline")) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let name = cells[1].trim_matches('`').to_owned();
        let arrows = cells[3].split(", ").filter(|arrow| *arrow != "–");
        drawn.insert(name, arrows.map(str::to_owned).collect::<BTreeSet<String>>());
    }
    let real: BTreeMap<String, BTreeSet<String>> =
        manifests().into_iter().map(|(name, (_, arrows))| (name, arrows)).collect();
    assert_eq!(drawn, real);
}

#[test]
fn every_crate_uses_the_lints_of_the_workspace() {
    for (name, (manifest, _)) in manifests() {
        assert!(
            manifest.contains("[lints]\nworkspace = true"),
            "{name} does not use the lints of the workspace"
        );
    }
}
