//! Instructions per operation. Each call of `harness::case::measured` is one part of the profile.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;
use std::process::Command;

use crate::programs::figures;

const MEASURED: &str = "harness::case::measured";

/// Which functions of the C library run depends on the processor, and with it how many instructions a copy is. Here it is
/// always those that every x86-64 has.
const PLAIN_X86_64: &str =
    "glibc.cpu.hwcaps=-AVX2,-AVX,-AVX_Fast_Unaligned_Load,-ERMS,-FSRM,-SSSE3,-SSE4_1,-SSE4_2";

/// Functions with their instructions per operation.
type Costs = Vec<(String, f64)>;

/// The instructions of every case that the program runs, by key.
pub(crate) fn count(program: &Path, argument: &str) -> Result<Vec<(String, f64)>, Box<dyn Error>> {
    let parts = profile(program, argument)?.into_iter();
    Ok(parts.map(|part| (part.key, part.total as f64 / part.operations)).collect())
}

/// For every case whose key contains the text: its own instructions in each function, the most first.
pub(crate) fn functions(program: &Path, text: &str) -> Result<Vec<(String, Costs)>, Box<dyn Error>> {
    let mut names = BTreeMap::new();
    let parts = profile(program, text)?.into_iter();
    Ok(parts
        .map(|part| {
            let mut functions: Vec<_> = own_costs(&part.text, &mut names)
                .into_iter()
                .map(|(function, cost)| (function, cost as f64 / part.operations))
                .collect();
            functions.sort_by(|(_, left), (_, right)| right.total_cmp(left));
            (part.key, functions)
        })
        .collect())
}

struct Part {
    key: String,
    operations: f64,
    total: u64,
    text: String,
}

/// Runs the program under callgrind in an environment that is the same everywhere.
fn profile(program: &Path, argument: &str) -> Result<Vec<Part>, Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("callgrind.out");
    let mut command = Command::new("valgrind");
    command
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("GLIBC_TUNABLES", PLAIN_X86_64)
        .args(["--tool=callgrind", "--quiet", "--combine-dumps=yes"])
        .arg(format!("--zero-before={MEASURED}"))
        .arg(format!("--dump-after={MEASURED}"))
        .arg(format!("--callgrind-out-file={}", file.display()))
        .arg(program)
        .arg(argument);
    let cases = figures(&mut command)?;
    let text = std::fs::read_to_string(&file)?;
    // The last part is what comes after the last case.
    let mut parts: Vec<_> = text.split("\npart: ").skip(1).collect();
    parts.pop();
    if parts.len() != cases.len() {
        return Err(format!("{} cases, but {} parts of the profile", cases.len(), parts.len()).into());
    }
    let part = |((key, operations), text): ((String, f64), &str)| {
        let total = text.lines().find_map(|line| line.strip_prefix("totals: ")).ok_or("no total")?;
        Ok(Part { key, operations, total: total.trim().parse()?, text: text.to_owned() })
    };
    cases.into_iter().zip(parts).map(part).collect()
}

/// Reads `fn=(id) name` and the lines of costs below it, without those of calls. Names are given once in the whole file.
fn own_costs(part: &str, names: &mut BTreeMap<String, String>) -> BTreeMap<String, u64> {
    let mut costs = BTreeMap::new();
    let (mut function, mut after_call) = (String::new(), false);
    for line in part.lines() {
        if let Some(named) = line.strip_prefix("fn=").or_else(|| line.strip_prefix("cfn=")) {
            let (id, name) = named.split_once(' ').unwrap_or((named, ""));
            if !name.is_empty() {
                names.insert(id.to_owned(), name.to_owned());
            }
            if line.starts_with("fn=") {
                function = names.get(id).cloned().unwrap_or_default();
            }
        } else if line.starts_with("calls=") {
            after_call = true;
        } else if line.starts_with(|first: char| first.is_ascii_digit() || "+-*".contains(first)) {
            let cost = line.rsplit(' ').next().and_then(|cost| cost.parse::<u64>().ok());
            if let (Some(cost), false) = (cost, after_call) {
                *costs.entry(function.clone()).or_default() += cost;
            }
            after_call = false;
        }
    }
    costs
}
