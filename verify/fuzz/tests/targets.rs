//! The targets of libFuzzer, on what they start from.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use fuzz::targets::TARGETS;

#[test]
fn every_law_has_a_target() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("libfuzzer/fuzz_targets");
    let name = |entry: std::io::Result<fs::DirEntry>| {
        entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned()
    };
    let files: BTreeSet<_> = fs::read_dir(folder).unwrap().map(name).collect();
    let targets: BTreeSet<_> = TARGETS.iter().map(|target| target.name.to_owned()).collect();
    assert_eq!(files, targets);
}

#[test]
fn seeds_obey_the_laws() {
    for target in TARGETS {
        let seeds = (target.seeds)();
        assert!(seeds.len() > 5, "{}: {} seeds", target.name, seeds.len());
        for seed in &seeds {
            (target.law)(seed);
        }
    }
}
