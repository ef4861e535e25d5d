//! Topic ids that clients and gateway know without registration (§6.7).

use alloc::boxed::Box;
use alloc::collections::BTreeMap;

use mqttsn_codec::TopicId;
use topic_match::{InvalidTopic, TopicName};

/// Predefined topic ids: for all clients, or for one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Predefined {
    all: BTreeMap<TopicId, Box<str>>,
    own: BTreeMap<Box<str>, BTreeMap<TopicId, Box<str>>>,
}

impl Predefined {
    /// An id for all clients, in place of an earlier one.
    ///
    /// # Errors
    /// The rule of topic names that the name breaks.
    pub fn insert(&mut self, id: TopicId, name: &str) -> Result<(), InvalidTopic> {
        TopicName::new(name)?;
        self.all.insert(id, name.into());
        Ok(())
    }

    /// An id for one client, which goes before that of all clients.
    ///
    /// # Errors
    /// The rule of topic names that the name breaks.
    pub fn insert_for(&mut self, client_id: &str, id: TopicId, name: &str) -> Result<(), InvalidTopic> {
        TopicName::new(name)?;
        self.own.entry(client_id.into()).or_default().insert(id, name.into());
        Ok(())
    }

    /// The topic name of an id for this client; `None` for the client is one that is not known.
    pub fn get(&self, client_id: Option<&str>, id: TopicId) -> Option<&str> {
        let own = client_id.and_then(|client_id| self.own.get(client_id)).and_then(|own| own.get(&id));
        own.or_else(|| self.all.get(&id)).map(|name| &**name)
    }

    /// How many ids there are.
    pub fn len(&self) -> usize {
        self.all.len() + self.own.values().map(BTreeMap::len).sum::<usize>()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_of_one_client_goes_before_that_of_all() {
        let (one, two) = (TopicId::new(1).unwrap(), TopicId::new(2).unwrap());
        let mut predefined = Predefined::default();
        predefined.insert(one, "all").unwrap();
        predefined.insert_for("c", one, "own").unwrap();
        assert_eq!(predefined.get(Some("c"), one), Some("own"));
        assert_eq!(predefined.get(Some("d"), one), Some("all"));
        assert_eq!(predefined.get(None, one), Some("all"));
        assert_eq!(predefined.get(None, two), None);
        assert_eq!(predefined.insert(two, "a/+"), Err(InvalidTopic::WildcardInName));
        assert_eq!(predefined.len(), 2);
    }
}
