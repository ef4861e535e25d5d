//! The tables in the README, between two markers.

use std::error::Error;
use std::fmt::Write as _;
use std::path::PathBuf;

use crate::bars::{bar, short};
use crate::data::{self, Figure};

const START: &str = "<!-- made by `tables write`: start -->\n";
const END: &str = "<!-- made by `tables write`: end -->\n";
/// The bar on what a user of a library without our profile pays.
const LIBRARY: f64 = 1.15;

/// Themes in the order of the README, with what they measure.
pub(crate) const THEMES: [(&str, &str); 12] = [
    (
        "parse_mqtt",
        "Decode and drop one packet. The floor walks over the frame and checks the topic's UTF-8.",
    ),
    (
        "encode_mqtt",
        "Write the decoded packet into a buffer with room, which is used again and again; ours into a slice, and with `Vec` \
      into that. The floor is one copy.",
    ),
    (
        "parse_coap",
        "Decode and drop. The peer reads no header and no token. The floor walks over the options.",
    ),
    (
        "encode_coap",
        "Write the decoded message; `built` puts it together option by option, as the peer does in either case.",
    ),
    ("parse_mqttsn", "Decode and drop."),
    ("encode_mqttsn", "Write the decoded message into a slice."),
    ("match_topic", "One filter against one topic of 7 levels. The floor compares two strings."),
    (
        "subscription_index",
        "All subscribers of a topic. Peers: the tree of `HashMap`s that one would write first.",
    ),
    ("retained_index", "All topics of a filter among 100 000."),
    (
        "qos2_round",
        "A QoS 2 message from client to broker (the peer's server routes nothing), both in memory, four packets.",
    ),
    (
        "coap_exchange",
        "A confirmable GET and its piggybacked response through two endpoints in memory. Bar: 1 allocation, 500 ns.",
    ),
    (
        "gateway_round",
        "MQTT-SN PUBLISH of QoS 1 through gateway and broker to a subscriber at QoS 0, with the PUBACK back.",
    ),
];
/// What a case is called that does the same in another way: after its name and a comma.
const VARIANTS: [&str; 3] = ["Vec", "built", "options read"];
const FANOUT: (&str, &str) = ("broker_fanout", "One message to a hundred subscribers, per delivery.");

pub(crate) fn themes() -> impl Iterator<Item = (&'static str, &'static str)> {
    THEMES.into_iter().chain([FANOUT])
}

fn path() -> PathBuf {
    data::folder().join("README.md")
}

/// Whether the README says something else than the data.
pub(crate) fn is_stale() -> Result<bool, Box<dyn Error>> {
    Ok(renewed()? != std::fs::read_to_string(path())?)
}

pub(crate) fn write() -> Result<(), Box<dyn Error>> {
    Ok(std::fs::write(path(), renewed()?)?)
}

fn renewed() -> Result<String, Box<dyn Error>> {
    let text = std::fs::read_to_string(path())?;
    let (before, rest) = text.split_once(START).ok_or("README.md has no marker of the start")?;
    let (_, after) = rest.split_once(END).ok_or("README.md has no marker of the end")?;
    Ok(format!("{before}{START}{}{END}{after}", tables()?))
}

fn tables() -> Result<String, Box<dyn Error>> {
    let (compiler, ours) = data::read("ours.tsv")?;
    let (_, peers) = data::read("peers.tsv")?;
    let mut text = format!("\nCounted with {compiler}. ");
    text += &verdicts(&ours, &peers);
    for (theme, what) in themes() {
        write!(text, "\n### {theme}\n{what}\n\n![{theme}](plots/{theme}.svg)\n\n")?;
        table(&mut text, theme, &ours, &peers)?;
    }
    flat_table(&mut text)?;
    text.push('\n');
    Ok(text)
}

/// How many bars there are, and which are missed.
fn verdicts(ours: &[Figure], peers: &[Figure]) -> String {
    let itself = |figure: &&Figure| variant_of(&figure.name).is_none();
    let held: Vec<_> = ours
        .iter()
        .filter(itself)
        .filter_map(|figure| Some((figure, bar(figure, &others(figure, peers))?)))
        .collect();
    let missed = held.iter().filter(|(figure, bar)| figure.release > bar.most).count();
    let heavy = ours.iter().filter(|figure| figure.library > figure.release * LIBRARY).count();
    format!(
        "Of {} bars on instructions {} are met (variants not counted). In cargo's own release profile {heavy} of {} cases take more than {LIBRARY} times as many \
         instructions as with fat LTO.\n",
        held.len(),
        held.len() - missed,
        ours.len()
    )
}

/// Floor and peers at the case; one with a comma is a variant of the case before it.
fn others<'a>(figure: &Figure, peers: &'a [Figure]) -> Vec<&'a Figure> {
    let same = |name: &str| -> Vec<_> {
        peers.iter().filter(|peer| peer.theme == figure.theme && peer.name == name).collect()
    };
    variant_of(&figure.name).map_or_else(|| same(&figure.name), same)
}

/// The case that this one is a variant of.
fn variant_of(name: &str) -> Option<&str> {
    name.rsplit_once(", ").filter(|(_, variant)| VARIANTS.contains(variant)).map(|(name, _)| name)
}

fn table(text: &mut String, theme: &str, ours: &[Figure], peers: &[Figure]) -> Result<(), Box<dyn Error>> {
    let ours: Vec<_> = ours.iter().filter(|figure| figure.theme == theme).collect();
    let mut columns: Vec<&str> = Vec::new();
    for peer in peers.iter().filter(|peer| peer.theme == theme) {
        if !columns.contains(&peer.who.as_str()) {
            columns.push(&peer.who);
        }
    }
    let timed = ours.iter().any(|figure| figure.nanoseconds > 0.0);
    write!(text, "| | ours | library | alloc. |{}", if timed { " ns |" } else { "" })?;
    columns.iter().try_for_each(|who| write!(text, " {who} |"))?;
    writeln!(text, " bar | |")?;
    writeln!(text, "|---|{}", "--:|".repeat(4 + usize::from(timed) + columns.len()) + "---|")?;
    for figure in ours {
        let others = others(figure, peers);
        let library = figure.library / figure.release;
        let heavy = if library > LIBRARY { " !" } else { "" };
        write!(
            text,
            "| {} | **{:.0}** | ×{library:.2}{heavy} | {} |",
            figure.name,
            figure.release,
            count(figure.allocations)
        )?;
        if timed {
            write!(text, " {:.0} |", figure.nanoseconds)?;
        }
        for who in &columns {
            match others.iter().find(|other| other.who == *who) {
                Some(other) if other.allocations >= 0.005 => {
                    write!(text, " {:.0} ({}) |", other.release, count(other.allocations))?;
                }
                Some(other) => write!(text, " {:.0} |", other.release)?,
                None => *text += " |",
            }
        }
        match bar(figure, &others) {
            Some(bar) => {
                let excess = (figure.release / bar.most - 1.0) * 100.0;
                let places = usize::from(excess < 2.0);
                let verdict =
                    if excess > 0.0 { format!("missed by {excess:.places$} %") } else { "met".into() };
                writeln!(text, " {:.0}, {} | {verdict} |", bar.most, bar.because)?;
            }
            None => *text += " | |\n",
        }
    }
    Ok(())
}

/// Allocations: hardly ever a broken number.
fn count(allocations: f64) -> String {
    if allocations < 0.005 { "0".into() } else { format!("{allocations:.2}").trim_end_matches(".00").into() }
}

fn flat_table(text: &mut String) -> Result<(), Box<dyn Error>> {
    let rows = data::read_flat()?;
    let mut sizes: Vec<_> = rows.iter().map(|row| row.size).collect();
    sizes.sort_unstable();
    sizes.dedup();
    *text += "\n### Flat\nWhat each takes in the broker's memory, and the instructions for one more, when there are so many.\n\n| |";
    sizes.iter().try_for_each(|size| write!(text, " {size}: bytes | instructions |"))?;
    writeln!(text, "\n|---|{}", "--:|--:|".repeat(sizes.len()))?;
    let mut kinds: Vec<&str> = rows.iter().map(|row| row.kind.as_str()).collect();
    kinds.dedup();
    for kind in kinds {
        write!(text, "| {} |", short(kind))?;
        for row in rows.iter().filter(|row| row.kind == kind) {
            write!(text, " {:.0} | {:.0} |", row.bytes, row.instructions)?;
        }
        text.push('\n');
    }
    Ok(())
}
