//! `CONFORMANCE.md` against the list of statements and against the sources: whoever renames a test renames it there.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const PAGE: &str = include_str!("../CONFORMANCE.md");
const STATEMENTS: &str = include_str!("data/mqtt-conformance.tsv");

/// A row of the page.
struct Row {
    version: &'static str,
    statement: &'static str,
    role: &'static str,
    text: &'static str,
    tests: Vec<&'static str>,
    /// What stands beside the tests, or in place of them.
    reason: String,
}

fn rows() -> Vec<Row> {
    let lines = PAGE.lines().filter(|line| line.starts_with("| 3.1.1 |") || line.starts_with("| 5.0 |"));
    let row = |line: &'static str| {
        let cells: Vec<_> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let [version, statement, role, text, shown] = cells[..] else { panic!("five cells: {line}") };
        let names = shown.split('`').skip(1).step_by(2).filter(|name| name.contains("::"));
        let reason = shown.split('`').step_by(2).collect::<String>();
        let reason = reason.trim_matches([' ', ',', ';']).to_owned();
        Row { version, statement, role, text, tests: names.collect(), reason }
    };
    lines.map(row).collect()
}

#[test]
fn every_statement_has_one_row_as_the_list_has_it() {
    let rows = rows();
    for line in STATEMENTS.lines().skip(1) {
        let [version, statement, role, _, text] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("five fields: {line}");
        };
        let found: Vec<_> =
            rows.iter().filter(|row| (row.version, row.statement) == (version, statement)).collect();
        assert_eq!(found.len(), 1, "{version} {statement}");
        assert_eq!((found[0].role, found[0].text), (role, text), "{version} {statement}");
    }
    let numbered = rows.iter().filter(|row| row.statement.starts_with("MQTT-")).count();
    assert_eq!(numbered, STATEMENTS.lines().count() - 1);
    let names: BTreeSet<_> = rows.iter().map(|row| (row.version, row.statement)).collect();
    assert_eq!(names.len(), rows.len(), "no row twice");
}

#[test]
fn every_row_has_tests_of_each_role_or_a_reason() {
    for row in rows() {
        let name = (row.version, row.statement);
        if row.tests.is_empty() {
            assert!(row.reason.len() > 20, "{name:?} has neither test nor reason");
            continue;
        }
        let of = |place: &str| row.tests.iter().any(|test| test.starts_with(place));
        let of_both =
            of("mqtt-codec::") || of("topic-match::") || of("mqtt-core::lib::") || of("mqtt-core::examples");
        let server = of_both || of("mqtt-core::broker::") || of("m2m::broker::") || of("m2m::peers::");
        let client = of_both || of("mqtt-core::client::");
        let shown = match row.role {
            "server" | "client" => server || client,
            "both" => server && client,
            other => panic!("{name:?}: {other}"),
        };
        assert!(shown, "{name:?} is not shown for {}", row.role);
    }
}

#[test]
fn every_test_that_is_named_exists() {
    for row in rows() {
        for test in row.tests {
            assert!(exists(test), "{} {}: {test}", row.version, row.statement);
        }
    }
    assert!(!exists("mqtt-core::client::connect::no_such_test"));
    assert!(!exists("mqtt-core::client::script::seconds"), "a function that is no test");
}

/// Each rule of form of the codec without a number, so that one list has them all.
#[test]
fn every_unnumbered_rule_of_the_codec_has_a_row() {
    let Ok(source) = fs::read_to_string(workspace().join("mqtt-codec/src/error.rs")) else { return };
    let rows = rows();
    let mut seen = 0;
    for id in source.split('"').filter(|text| text.starts_with("X-")) {
        // These stand for what the other version does not have.
        if !matches!(id, "X-5.0" | "X-3.1.1" | "X-<section>") {
            assert!(rows.iter().any(|row| row.statement == id), "{id}");
            seen += 1;
        }
    }
    assert!(seen > 20);
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Whether the sources have this test; one of a crate that is not there (when this one is taken alone) counts.
fn exists(test: &str) -> bool {
    let parts: Vec<_> = test.split("::").collect();
    let [package, binary, modules @ .., name] = &parts[..] else { return false };
    let package = workspace().join(package);
    if !package.is_dir() {
        return true;
    }
    let module = modules.join("/");
    let files = match (*binary, modules) {
        ("lib", _) => [format!("src/{module}.rs"), format!("src/{module}/mod.rs")],
        (binary, []) => [format!("tests/{binary}.rs"), format!("tests/{binary}/main.rs")],
        (binary, _) => [format!("tests/{binary}/{module}.rs"), format!("tests/{binary}/{module}/mod.rs")],
    };
    let sources = files.iter().filter_map(|file| fs::read_to_string(package.join(file)).ok());
    let function = format!("fn {name}(");
    let is_test = |source: String| {
        let lines: Vec<_> = source.lines().map(str::trim).collect();
        let place = lines.iter().position(|line| line.starts_with(&function));
        place.is_some_and(|place| {
            let above = lines[..place].iter().rev().take_while(|line| line.starts_with("#["));
            above.into_iter().any(|line| *line == "#[test]")
        })
    };
    sources.into_iter().any(is_test)
}
