//! The committed figures, from which everything else is made.

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// What is known of one case of one who does it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Figure {
    pub(crate) theme: String,
    pub(crate) name: String,
    pub(crate) who: String,
    /// Instructions per operation with fat LTO.
    pub(crate) release: f64,
    /// The same in cargo's own release profile.
    pub(crate) library: f64,
    /// Allocations per operation.
    pub(crate) allocations: f64,
    /// Nanoseconds per operation on some machine; 0 where nobody looked.
    pub(crate) nanoseconds: f64,
}

impl Figure {
    pub(crate) fn key(&self) -> String {
        format!("{}\t{}\t{}", self.theme, self.name, self.who)
    }

    /// Reads a key as the programs write it.
    pub(crate) fn of_key(key: &str) -> Result<Self, Box<dyn Error>> {
        let mut parts = key.splitn(3, '\t').map(str::to_owned);
        let (Some(theme), Some(name), Some(who)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(format!("not a key: {key}").into());
        };
        Ok(Self { theme, name, who, ..Self::default() })
    }
}

/// One kind at one size.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Flat {
    pub(crate) kind: String,
    pub(crate) size: u32,
    pub(crate) bytes: f64,
    pub(crate) instructions: f64,
}

/// The folder of `benches`, which has the tables and what they are made of.
pub(crate) fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn file(name: &str) -> PathBuf {
    folder().join("data").join(name)
}

/// Ours or the peers', with the compiler that built them.
pub(crate) fn read(name: &str) -> Result<(String, Vec<Figure>), Box<dyn Error>> {
    let file = file(name);
    let text = std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    let mut lines = text.lines();
    let compiler = lines.next().and_then(|line| line.strip_prefix("# ")).ok_or("no compiler")?.to_owned();
    let figure = |line: &str| {
        let cells: Vec<_> = line.split('\t').collect();
        let [theme, name, who, release, library, allocations, nanoseconds] = cells[..] else {
            return Err(format!("not a row: {line}").into());
        };
        Ok(Figure {
            theme: theme.to_owned(),
            name: name.to_owned(),
            who: who.to_owned(),
            release: release.parse()?,
            library: library.parse()?,
            allocations: allocations.parse()?,
            nanoseconds: nanoseconds.parse()?,
        })
    };
    let figures = lines.skip(1).map(figure).collect::<Result<_, Box<dyn Error>>>()?;
    Ok((compiler, figures))
}

pub(crate) fn write(name: &str, compiler: &str, figures: &[Figure]) -> Result<(), Box<dyn Error>> {
    let mut text = format!("# {compiler}\n# theme\tcase\twho\trelease\tlibrary\tallocations\tnanoseconds\n");
    for figure in figures {
        let Figure { release, library, allocations, nanoseconds, .. } = figure;
        writeln!(text, "{}\t{release:.1}\t{library:.1}\t{allocations:.2}\t{nanoseconds:.0}", figure.key())?;
    }
    Ok(std::fs::write(file(name), text)?)
}

pub(crate) fn read_flat() -> Result<Vec<Flat>, Box<dyn Error>> {
    let text = std::fs::read_to_string(file("flat.tsv"))?;
    let row = |line: &str| {
        let cells: Vec<_> = line.split('\t').collect();
        let [kind, size, bytes, instructions] = cells[..] else {
            return Err(format!("not a row: {line}").into());
        };
        let (size, bytes, instructions) = (size.parse()?, bytes.parse()?, instructions.parse()?);
        Ok(Flat { kind: kind.to_owned(), size, bytes, instructions })
    };
    text.lines().skip(1).map(row).collect()
}

pub(crate) fn write_flat(rows: &[Flat]) -> Result<(), Box<dyn Error>> {
    let mut text = "# kind\tsize\tbytes each\tinstructions for one more\n".to_owned();
    for Flat { kind, size, bytes, instructions } in rows {
        writeln!(text, "{kind}\t{size}\t{bytes:.0}\t{instructions:.0}")?;
    }
    Ok(std::fs::write(file("flat.tsv"), text)?)
}
