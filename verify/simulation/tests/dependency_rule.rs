//! The dependency rule, held against what `cargo metadata` says:
//! `machine`, `topic-match` and the codecs stand alone, cores stand on those, hosts on cores, and nothing stands on
//! a host, a benchmark or a proof. A protocol crate takes only third-party crates that work without std, without
//! their default features.

use cargo_metadata::{Dependency, DependencyKind, Metadata, MetadataCommand};

/// What one of our crates may have in its `[dependencies]`.
enum Rule {
    /// Runs on a microcontroller: crates of ours, and third-party crates that do without std.
    Protocol { ours: &'static [&'static str], others: &'static [&'static str] },
    /// Stands on top: any third-party crate, and any protocol crate of ours.
    Top,
    /// Proves or measures: as `Top`, and other crates of its own kind.
    Proof,
}

use Rule::{Proof, Protocol, Top};

const RULES: &[(&str, Rule)] = &[
    ("machine", Protocol { ours: &[], others: &[] }),
    ("topic-match", Protocol { ours: &[], others: &["thiserror"] }),
    ("mqtt-codec", Protocol { ours: &[], others: &["ascii", "bytes", "nom", "thiserror"] }),
    (
        "mqtt-core",
        Protocol {
            ours: &["machine", "mqtt-codec", "topic-match"],
            others: &["ascii", "bytes", "hashbrown", "serde", "siphasher", "slab", "thiserror"],
        },
    ),
    ("coap-codec", Protocol { ours: &[], others: &["bytes", "nom", "thiserror"] }),
    (
        "coap-core",
        Protocol {
            ours: &["machine", "coap-codec"],
            others: &["bytes", "hashbrown", "siphasher", "slab", "thiserror"],
        },
    ),
    ("mqttsn-codec", Protocol { ours: &[], others: &["ascii", "bytes", "nom", "thiserror"] }),
    (
        "mqttsn-core",
        Protocol {
            ours: &["machine", "mqtt-codec", "mqtt-core", "mqttsn-codec", "topic-match"],
            others: &["bytes", "hashbrown", "slab", "thiserror"],
        },
    ),
    ("m2m", Top),
    ("benches", Proof),
    ("harness", Proof),
    ("fuzz", Proof),
    ("simulation", Proof),
];

#[test]
fn every_crate_keeps_the_rule() {
    let metadata = metadata();
    let packages = metadata.workspace_packages();
    let broken: Vec<String> =
        packages.iter().flat_map(|package| breaks(&package.name, &package.dependencies)).collect();
    assert!(broken.is_empty(), "the dependency rule is broken:\n  {}", broken.join("\n  "));
    for (name, _) in RULES {
        assert!(
            packages.iter().any(|package| package.name == *name),
            "RULES names {name}, which is no member"
        );
    }
}

#[test]
fn no_crate_of_ours_comes_from_elsewhere() {
    for package in metadata().workspace_packages() {
        for dependency in &package.dependencies {
            let ours = rule_of(&dependency.name).is_some();
            assert_eq!(ours, dependency.path.is_some(), "{} takes {}", package.name, dependency.name);
        }
    }
}

/// A rule that nothing can break proves nothing.
#[test]
fn a_broken_rule_is_noticed() {
    let metadata = metadata();
    let dependencies_of = |name: &str| -> Vec<Dependency> {
        metadata
            .workspace_packages()
            .iter()
            .find(|package| package.name == name)
            .unwrap()
            .dependencies
            .clone()
    };
    let of_the_host = breaks("machine", &dependencies_of("m2m"));
    for culprit in ["tokio", "mqtt-core", "thiserror"] {
        assert!(of_the_host.iter().any(|line| line.contains(culprit)), "{culprit} in {of_the_host:?}");
    }
    assert!(breaks("amqp-codec", &[])[0].contains("add a line to RULES"));

    let mut with_std = dependencies_of("mqtt-codec");
    with_std[0].uses_default_features = true;
    assert!(breaks("mqtt-codec", &with_std)[0].contains("default-features = false"));
}

fn metadata() -> Metadata {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.toml");
    MetadataCommand::new()
        .manifest_path(manifest)
        .no_deps()
        .exec()
        .expect("cargo metadata reads the workspace")
}

fn rule_of(name: &str) -> Option<&'static Rule> {
    RULES.iter().find(|(member, _)| *member == name).map(|(_, rule)| rule)
}

/// What is wrong with these dependencies of the crate `name`, a sentence each.
fn breaks(name: &str, dependencies: &[Dependency]) -> Vec<String> {
    let Some(rule) = rule_of(name) else {
        return vec![format!(
            "{name} is new: add a line to RULES that says what it may stand on (DESIGN.md, `Crates and the dependency rule`)"
        )];
    };
    dependencies
        .iter()
        .filter(|dependency| dependency.kind != DependencyKind::Development)
        .filter_map(|dependency| objection(rule, dependency))
        .map(|objection| format!("{name} {objection}"))
        .collect()
}

fn objection(rule: &Rule, dependency: &Dependency) -> Option<String> {
    let target = &dependency.name;
    let (ours, others) = match (rule, rule_of(target)) {
        (Top, Some(Top | Proof)) | (Proof, Some(Top)) => {
            return Some(format!("stands on {target}: nothing may"));
        }
        (Top | Proof, _) => return None,
        (Protocol { ours, others }, _) => (ours, others),
    };
    if ours.contains(&target.as_str()) {
        return None;
    }
    if !others.contains(&target.as_str()) {
        return Some(format!("may not depend on {target}"));
    }
    let named = |feature: &String| feature == "std";
    if dependency.uses_default_features || dependency.features.iter().any(named) {
        return Some(format!(
            "must take {target} with default-features = false and without its feature `std`"
        ));
    }
    None
}
