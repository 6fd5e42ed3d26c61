//! Smoke test of the suite, on SQLite: every workload produces its row. The figures are not checked.

use std::process::Command;

#[test]
fn every_workload_produces_a_row() {
    let folder = tempfile::tempdir().expect("a folder");
    let document = folder.path().join("document.md");
    let before = "# Figures\n\n<!-- figures -->\nold\n<!-- end of figures -->\n\nAfter.\n";
    std::fs::write(&document, before).expect("a document");
    let ran = Command::new(env!("CARGO_BIN_EXE_trunkline-bench"))
        .args(["--smoke", "--database", "sqlite", "--markdown"])
        .arg(&document)
        .output()
        .expect("it runs");
    let errors = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{errors}");

    let text = std::fs::read_to_string(&document).expect("the document");
    assert!(text.starts_with("# Figures\n\n<!-- figures -->\n\nTaken by"), "{text}");
    assert!(text.ends_with("\n<!-- end of figures -->\n\nAfter.\n"), "{text}");
    assert!(!text.contains("\nold\n") && !text.contains("--markdown"), "{text}");
    let lines: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("| ")).collect();
    let expected = [
        "processor |",
        "file system |",
        "GET one affiliate / a constant | SQLite | 10 |",
        "GET one affiliate, p99 / at 10 | SQLite | 100 |",
        "PUT one affiliate / a constant | SQLite | 100 |",
        "PUTs that share a commit | SQLite | 100 |",
        "idle memory | SQLite | 100 |",
        "GET one affiliate | SQLite | 10 |",
        "GET one affiliate | SQLite | 100 |",
        "GET one campaign | SQLite | 100 |",
        "PUT one affiliate | SQLite | 100 |",
        "POST calls, one by one | SQLite | 100 |",
        "a constant | 16 |",
        "a constant | 64 |",
        "one SELECT, SQLite, 100 affiliates | 16 |",
        "one commit, SQLite | 64 |",
        "POST calls, NDJSON, one body | SQLite |",
        "POST calls, NDJSON, 4 concurrent bodies | SQLite |",
        "1 | SQLite |",
        "10 | SQLite |",
    ];
    for line in expected {
        assert!(lines.iter().any(|found| found.starts_with(line)), "{line:?} is not in:\n{text}");
    }
    assert!(text.contains("A list of all affiliates"), "{text}");
    assert!(!text.contains("NaN") && !text.contains("inf |"), "{text}");
}

#[test]
fn unknown_arguments_are_rejected() {
    for words in [&["--fast"][..], &["--only"], &["--only", "sleep"], &["--rounds", "0"]] {
        let ran = Command::new(env!("CARGO_BIN_EXE_trunkline-bench")).args(words).output();
        let ran = ran.expect("it runs");
        assert!(!ran.status.success(), "{words:?}");
        assert!(ran.stdout.is_empty(), "{words:?} printed figures");
    }
}
