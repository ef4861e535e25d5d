//! The file of predefined topics, in the format of Paho's gateway.
//!
//! ```text
//! # ClientId, TopicName, TopicId
//! *,           sensors/temperature, 1
//! Sensor-7,    sensors/7/alarm,     2
//! ```
//! `*` is every client; the id of one client goes before that of all. Spaces around the fields, empty lines and lines that
//! begin with `#` do not count. A topic name may contain commas.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use mqttsn_codec::TopicId;
use mqttsn_core::gateway::Predefined;
use thiserror::Error;
use topic_match::InvalidTopic;

/// Why a file cannot be used.
#[derive(Debug, Error)]
pub(crate) enum InvalidPredefined {
    #[error("cannot read {}: {source}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("{}, line {line}: {problem}", path.display())]
    Line { path: PathBuf, line: usize, problem: Problem },
}

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum Problem {
    #[error("expected three fields: ClientId (or *), TopicName, TopicId")]
    Fields,
    #[error("the client identifier is missing (* is every client)")]
    NoClient,
    #[error("`{0}` is not a topic id (1 to 65534)")]
    TopicId(String),
    #[error("`{name}` is not a topic name: {source}")]
    TopicName { name: String, source: InvalidTopic },
    #[error("topic id {id} is `{name}` already, since line {line}")]
    Twice { id: TopicId, name: String, line: usize },
}

/// Reads a file.
pub(crate) fn read(path: &Path) -> Result<Predefined, InvalidPredefined> {
    let text = fs::read_to_string(path)
        .map_err(|source| InvalidPredefined::Unreadable { path: path.to_owned(), source })?;
    parse(&text).map_err(|(line, problem)| InvalidPredefined::Line { path: path.to_owned(), line, problem })
}

/// The topics, or the number of the line that is wrong and why.
fn parse(text: &str) -> Result<Predefined, (usize, Problem)> {
    let mut predefined = Predefined::default();
    let mut seen: Vec<(&str, TopicId, &str, usize)> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let (number, line) = (index + 1, line.trim());
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (client, name, id) = fields(line).map_err(|problem| (number, problem))?;
        if let Some((_, _, name, line)) = seen.iter().find(|entry| (entry.0, entry.1) == (client, id)) {
            return Err((number, Problem::Twice { id, name: (*name).to_owned(), line: *line }));
        }
        seen.push((client, id, name, number));
        let inserted = match client {
            "*" => predefined.insert(id, name),
            client => predefined.insert_for(client, id, name),
        };
        inserted.map_err(|source| (number, Problem::TopicName { name: name.to_owned(), source }))?;
    }
    Ok(predefined)
}

fn fields(line: &str) -> Result<(&str, &str, TopicId), Problem> {
    let (client, rest) = line.split_once(',').ok_or(Problem::Fields)?;
    let (name, id) = rest.rsplit_once(',').ok_or(Problem::Fields)?;
    let (client, name, id) = (client.trim(), name.trim(), id.trim());
    if client.is_empty() {
        return Err(Problem::NoClient);
    }
    let id = id.parse().ok().and_then(TopicId::new).ok_or_else(|| Problem::TopicId(id.to_owned()))?;
    Ok((client, name, id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_those_of_pahos_gateway() {
        let text = "# a comment\n\n*,all/of/them , 1\r\n  Sensor-7 , own , 1\nSensor-7,a,b,c,2\n";
        let predefined = parse(text).unwrap();
        let get = |client, id| predefined.get(client, TopicId::new(id).unwrap());
        assert_eq!(get(None, 1), Some("all/of/them"));
        assert_eq!(get(Some("Sensor-7"), 1), Some("own"));
        assert_eq!(get(Some("Sensor-7"), 2), Some("a,b,c"));
        assert_eq!(get(Some("Sensor-8"), 2), None);
        assert_eq!(predefined.len(), 3);
    }

    #[test]
    fn errors_name_the_line_and_the_reason() {
        let problem = |text: &str| parse(text).map_err(|(line, problem)| (line, problem.to_string()));
        let wrong = |line, text: &str| Err((line, text.to_owned()));
        let fields = "expected three fields: ClientId (or *), TopicName, TopicId";
        assert_eq!(problem("*,a,1\nb,2"), wrong(2, fields));
        assert_eq!(problem("nothing"), wrong(1, fields));
        assert_eq!(problem(",a,1"), wrong(1, "the client identifier is missing (* is every client)"));
        for id in ["0", "65535", "-1", "x", ""] {
            let expected = format!("`{id}` is not a topic id (1 to 65534)");
            assert_eq!(problem(&format!("\n\n*,a,{id}")), wrong(3, &expected));
        }
        assert!(problem("*,a/#,1").unwrap_err().1.starts_with("`a/#` is not a topic name: "));
        assert!(problem("*,,1").unwrap_err().1.starts_with("`` is not a topic name: "));
        assert_eq!(problem("*,a,1\nc,b,1\n*,d,1"), wrong(3, "topic id 1 is `a` already, since line 1"));
    }
}
