//! Import circles: files of a crate that import each other, directly or through others.
//!
//! An edge is a path, in a `use` declaration or in code, that begins with `crate`, `super`, `self` or a child
//! module. Re-exports are followed to the defining file, so `use crate::Error` is an import of `error.rs`.
//! `mod` and `pub use` of a child module are no edges, nor is anything in `#[cfg(test)]` code.

use super::naming::split_comment;
use super::{collect_files, root};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Files in circles of each crate. The numbers may only shrink.
const ALLOWED: &str = include_str!("import_circles.txt");

type ModulePath = Vec<String>;

/// One imported path of a `use` declaration.
struct Import {
    path: ModulePath,
    name: String,
    is_public: bool,
}

/// Modules of a crate by path, each with its imports. The crate root has an empty path.
struct Crate {
    modules: BTreeMap<ModulePath, Vec<Import>>,
}

impl Crate {
    fn read(source_directory: &Path) -> Self {
        let mut files = Vec::new();
        collect_files(source_directory, ".rs", &mut files);
        let mut modules = BTreeMap::new();
        for file in files {
            let relative = file.strip_prefix(source_directory).expect("a file of the crate");
            let module = module_path(relative);
            let text = fs::read_to_string(&file).expect("a readable file");
            modules.insert(module, parse_imports(&text));
        }
        Self { modules }
    }

    /// Module that defines an imported path, as seen from a module. `None` for other crates.
    fn resolve(&self, from: &[String], path: &[String], depth: usize) -> Option<ModulePath> {
        let (first, mut rest) = path.split_first()?;
        let mut module = match first.as_str() {
            "crate" => Vec::new(),
            "self" => from.to_vec(),
            "super" => parent(from)?,
            name => {
                let child = [from, &[name.to_owned()]].concat();
                self.modules.contains_key(&child).then_some(child)?
            }
        };
        while let [next, tail @ ..] = rest {
            if next == "super" {
                module = parent(&module)?;
            } else {
                let child = [&module[..], std::slice::from_ref(next)].concat();
                if !self.modules.contains_key(&child) {
                    break;
                }
                module = child;
            }
            rest = tail;
        }
        let re_export = rest.first().and_then(|name| {
            let imports = self.modules.get(&module)?;
            imports.iter().find(|import| import.is_public && import.name == *name)
        });
        match re_export {
            Some(import) if depth < 8 => {
                self.resolve(&module, &import.path, depth + 1).or(Some(module))
            }
            _ => Some(module),
        }
    }

    /// Edges of the import graph.
    fn edges(&self) -> BTreeMap<&ModulePath, BTreeSet<ModulePath>> {
        let edges = self.modules.iter().map(|(module, imports)| {
            let is_re_export = |import: &Import| {
                let first = import.path.first().map(String::as_str);
                import.is_public && !matches!(first, Some("crate" | "super"))
            };
            let internal = imports.iter().filter(|import| !is_re_export(import));
            let targets = internal.filter_map(|import| self.resolve(module, &import.path, 0));
            (module, targets.filter(|target| target != module).collect())
        });
        edges.collect()
    }
}

fn parent(module: &[String]) -> Option<ModulePath> {
    module.split_last().map(|(_, parent)| parent.to_vec())
}

/// Module path of a file, relative to the source directory.
fn module_path(file: &Path) -> ModulePath {
    let mut path: ModulePath = file
        .with_extension("")
        .components()
        .map(|part| part.as_os_str().to_string_lossy().into_owned())
        .collect();
    let is_root_of_directory = path.last().is_some_and(|last| last == "mod")
        || path.len() == 1 && ["lib", "main"].contains(&path[0].as_str());
    if is_root_of_directory {
        path.pop();
    }
    path
}

/// Imports of a file, without its `#[cfg(test)]` code.
fn parse_imports(text: &str) -> Vec<Import> {
    let mut imports = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let line = line.trim_start();
        if line.starts_with("#[cfg(test)]") {
            // The attribute applies to the next item; a test module is the last one of its file.
            if lines.next().is_some_and(|item| item.contains('{')) {
                break;
            }
            continue;
        }
        let use_declaration = line
            .split_once("use ")
            .filter(|(visibility, _)| visibility.is_empty() || visibility.starts_with("pub"));
        let Some((visibility, first)) = use_declaration else {
            imports.extend(inline_paths(&split_comment(line).0));
            continue;
        };
        let is_public = !visibility.is_empty();
        let mut declaration = first.to_owned();
        while !declaration.contains(';') {
            let Some(next) = lines.next() else { break };
            declaration.push_str(next.trim());
        }
        let declaration = declaration.split(';').next().unwrap_or_default().replace('\n', " ");
        expand(&declaration, &[], is_public, &mut imports);
    }
    imports
}

/// Qualified paths in a line of code, such as `crate::json::parse`.
fn inline_paths(code: &str) -> impl Iterator<Item = Import> {
    let is_path_character =
        |character: char| character.is_alphanumeric() || character == '_' || character == ':';
    let paths = code.split(move |character| !is_path_character(character));
    let qualified = paths.filter(|path| path.contains("::") && !path.starts_with(':'));
    qualified.map(|path| {
        let path: ModulePath = path.split("::").map(str::to_owned).collect();
        Import { name: String::new(), path, is_public: false }
    })
}

/// Expands the braces of a `use` declaration.
fn expand(tree: &str, prefix: &[String], is_public: bool, imports: &mut Vec<Import>) {
    let tree = tree.trim();
    if let Some((head, rest)) = tree.split_once('{') {
        let head = head.trim().trim_end_matches("::");
        let mut prefix = prefix.to_vec();
        prefix.extend(head.split("::").filter(|part| !part.is_empty()).map(str::to_owned));
        let inner = rest.trim_end().strip_suffix('}').unwrap_or(rest);
        for item in split_items(inner) {
            expand(item, &prefix, is_public, imports);
        }
        return;
    }
    if tree.is_empty() {
        return;
    }
    let (path, alias) =
        tree.split_once(" as ").map_or((tree, None), |(path, alias)| (path, Some(alias)));
    let mut whole = prefix.to_vec();
    whole.extend(path.split("::").map(|part| part.trim().to_owned()));
    if whole.len() > 1 && whole.last().is_some_and(|last| last == "self") {
        whole.pop();
    }
    let name = alias.map(str::trim).or(whole.last().map(String::as_str)).unwrap_or_default();
    imports.push(Import { name: name.to_owned(), path: whole, is_public });
}

/// Splits at the commas outside of braces.
fn split_items(list: &str) -> Vec<&str> {
    let mut items = Vec::new();
    let mut depth = 0_usize;
    let mut start = 0;
    for (index, character) in list.char_indices() {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                items.push(&list[start..index]);
                start = index + 1;
            }
            _ => {}
        }
    }
    items.push(&list[start..]);
    items
}

/// Strongly connected components with more than one member, by Tarjan's algorithm.
fn circles<'a>(
    edges: &'a BTreeMap<&'a ModulePath, BTreeSet<ModulePath>>,
) -> Vec<Vec<&'a ModulePath>> {
    struct Search<'a> {
        edges: &'a BTreeMap<&'a ModulePath, BTreeSet<ModulePath>>,
        /// Index and lowest reachable index of each visited node.
        visited: BTreeMap<&'a ModulePath, (usize, usize)>,
        stack: Vec<&'a ModulePath>,
        components: Vec<Vec<&'a ModulePath>>,
    }
    impl<'a> Search<'a> {
        fn visit(&mut self, node: &'a ModulePath) -> usize {
            let index = self.visited.len();
            self.visited.insert(node, (index, index));
            self.stack.push(node);
            let mut lowest = index;
            for target in self.edges.get(node).into_iter().flatten() {
                let reachable = match self.visited.get(target) {
                    None => self.visit(target),
                    Some((index, _)) if self.stack.contains(&target) => *index,
                    Some(_) => continue,
                };
                lowest = lowest.min(reachable);
            }
            self.visited.insert(node, (index, lowest));
            if lowest == index {
                let start = self.stack.iter().position(|open| *open == node).expect("an open node");
                self.components.push(self.stack.split_off(start));
            }
            lowest
        }
    }
    let mut search =
        Search { edges, visited: BTreeMap::new(), stack: Vec::new(), components: Vec::new() };
    for node in edges.keys() {
        if !search.visited.contains_key(node) {
            search.visit(node);
        }
    }
    search.components.retain(|component| component.len() > 1);
    search.components
}

#[test]
fn import_circles_only_shrink() {
    let allowed: BTreeMap<&str, usize> = ALLOWED
        .lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(name, count)| (name, count.parse().expect("a number of files")))
        .collect();
    let mut actual = BTreeMap::new();
    let mut report = String::new();
    for name in allowed.keys() {
        let read = Crate::read(&root().join("crates").join(name).join("src"));
        let edges = read.edges();
        let circles = circles(&edges);
        for circle in &circles {
            let files: Vec<String> = circle.iter().map(|module| module.join("::")).collect();
            report.push_str(&format!("{name}: {}\n", files.join(", ")));
        }
        actual.insert(*name, circles.iter().map(Vec::len).sum::<usize>());
    }
    assert_eq!(
        actual, allowed,
        "files in import circles (left: actual, right: import_circles.txt). Remove a new circle; write a \
         smaller number into import_circles.txt.\n{report}"
    );
}

#[test]
fn import_circles_are_found_through_re_exports() {
    let module = |path: &str| -> ModulePath {
        path.split("::").filter(|part| !part.is_empty()).map(str::to_owned).collect()
    };
    let sources = [
        ("", "mod a;\npub use a::A;\nmod b;\nmod c;\n"),
        ("a", "use crate::b::{self, B};\n"),
        ("b", "use super::c;\nfn a() {\n    crate::A::new(); // crate::d\n}\n"),
        ("c", "use std::fs;\n#[cfg(test)]\nmod tests {\nuse crate::A;\n}\n"),
    ];
    let modules = sources.map(|(path, text)| (module(path), parse_imports(text)));
    let sample = Crate { modules: modules.into_iter().collect() };
    let edges = sample.edges();
    let names: Vec<String> =
        circles(&edges).concat().iter().map(|module| module.join("::")).collect();
    assert_eq!(names, ["a", "b"]);
}
