//! `CONFORMANCE.md` against the sources: whoever renames a test renames it there.

use std::fs;
use std::path::Path;

const PAGE: &str = include_str!("../CONFORMANCE.md");

/// The rows: what stands in the last cell.
fn rows() -> impl Iterator<Item = (&'static str, &'static str)> {
    let row = |line: &'static str| {
        let cells: Vec<_> = line.trim_matches('|').split(" | ").collect();
        let [_, text, shown] = cells[..] else { panic!("three cells: {line}") };
        (text, shown)
    };
    PAGE.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| Section")).map(row)
}

#[test]
fn every_rule_has_tests_and_they_exist() {
    let mut count = 0;
    for (text, shown) in rows() {
        let mut file = "";
        for name in shown.split('`').skip(1).step_by(2) {
            if name.contains('/') {
                file = name;
            } else {
                assert!(exists(file, name), "{text}: {name} in {file}");
                count += 1;
            }
        }
        assert!(!file.is_empty(), "{text}: no test");
    }
    assert!(count > 150, "{count}");
    assert!(!exists("coap-core/tests/endpoint/matching.rs", "no_such_test"));
    assert!(!exists("coap-core/tests/endpoint/matching.rs", "get"), "a function that is no test");
}

/// Whether a file has this test; one of a crate that is not there (when this one is taken alone) counts.
fn exists(file: &str, test: &str) -> bool {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let krate = file.split("/src/").next().and_then(|path| path.split("/tests/").next()).unwrap_or(file);
    if !workspace.join(krate).is_dir() {
        return true;
    }
    let Ok(source) = fs::read_to_string(workspace.join(file)) else { return false };
    let lines: Vec<_> = source.lines().map(str::trim).collect();
    let function = format!("fn {test}(");
    let place = lines.iter().position(|line| line.starts_with(&function));
    place.is_some_and(|place| {
        lines[..place].iter().rev().take_while(|line| line.starts_with("#[")).any(|line| *line == "#[test]")
    })
}
