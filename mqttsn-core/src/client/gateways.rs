//! The list of gateways (§6.1), and which of them to connect to next (§6.13).

use alloc::vec::Vec;

use machine::Instant;

/// A gateway that the client knows of.
#[derive(Clone, Debug)]
pub(super) struct Gateway<P> {
    /// Its name in the network, as soon as it has told.
    pub(super) id: Option<u8>,
    pub(super) address: P,
    /// When it is forgotten, unless it advertises itself before. One that is configured stays.
    expires: Option<Instant>,
    configured: bool,
    /// Its last failure: a number that grows with each failure of any gateway.
    failed: Option<u64>,
}

/// What a message about a gateway changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Learned {
    New,
    /// It was known, perhaps under another address or without its id.
    Known,
    /// There are too many.
    Dropped,
}

#[derive(Clone, Debug)]
pub(super) struct Gateways<P> {
    list: Vec<Gateway<P>>,
    limit: usize,
    failures: u64,
}

impl<P: Clone + Ord> Gateways<P> {
    pub(super) fn new(configured: &[P], limit: usize) -> Self {
        let known = |address: &P| Gateway {
            id: None,
            address: address.clone(),
            expires: None,
            configured: true,
            failed: None,
        };
        Self { list: configured.iter().take(limit).map(known).collect(), limit, failures: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    /// A gateway told of itself, or a client did. It is kept until `expires`.
    pub(super) fn learn(&mut self, id: u8, address: &P, expires: Instant) -> Learned {
        let by_address = self.list.iter().position(|gateway| gateway.address == *address);
        let place = by_address.or_else(|| self.list.iter().position(|gateway| gateway.id == Some(id)));
        if let Some(gateway) = place.and_then(|place| self.list.get_mut(place)) {
            let new = gateway.id != Some(id);
            gateway.id = Some(id);
            if !gateway.configured {
                gateway.address = address.clone();
                gateway.expires = gateway.expires.max(Some(expires));
            }
            return if new { Learned::New } else { Learned::Known };
        }
        if self.list.len() >= self.limit && !self.make_room() {
            return Learned::Dropped;
        }
        self.list.push(Gateway {
            id: Some(id),
            address: address.clone(),
            expires: Some(expires),
            configured: false,
            failed: None,
        });
        Learned::New
    }

    /// Forgets a gateway that could not be connected to.
    fn make_room(&mut self) -> bool {
        let useless = |gateway: &Gateway<P>| !gateway.configured && gateway.failed.is_some();
        match self.list.iter().position(useless) {
            Some(place) => {
                self.list.remove(place);
                true
            }
            None => false,
        }
    }

    /// A gateway said when it will be heard of next.
    pub(super) fn advertised(&mut self, address: &P, expires: Instant) {
        let heard = self.list.iter_mut().find(|gateway| gateway.address == *address && !gateway.configured);
        if let Some(gateway) = heard {
            gateway.expires = Some(expires);
        }
    }

    /// Takes out one gateway that has not been heard of for too long. The one in use stays: keep-alive decides there.
    pub(super) fn expire(&mut self, in_use: Option<&P>, now: Instant) -> Option<Gateway<P>> {
        let expired = |gateway: &Gateway<P>| gateway.expires.is_some_and(|at| at <= now);
        for gateway in self.list.iter_mut().filter(|gateway| Some(&gateway.address) == in_use) {
            if expired(gateway) {
                gateway.expires = None;
            }
        }
        let place = self.list.iter().position(expired)?;
        Some(self.list.remove(place))
    }

    pub(super) fn next_expiry(&self) -> Option<Instant> {
        self.list.iter().filter_map(|gateway| gateway.expires).min()
    }

    /// The gateway to try: one that has not failed, else the one whose failure is the longest ago.
    pub(super) fn best(&self) -> Option<&Gateway<P>> {
        self.list.iter().min_by_key(|gateway| gateway.failed.unwrap_or(0))
    }

    /// Whether there is one that has not failed since the last success.
    pub(super) fn has_untried(&self) -> bool {
        self.list.iter().any(|gateway| gateway.failed.is_none())
    }

    pub(super) fn failed(&mut self, address: &P) {
        self.failures += 1;
        if let Some(gateway) = self.list.iter_mut().find(|gateway| gateway.address == *address) {
            gateway.failed = Some(self.failures);
        }
    }

    /// A connection stands: everybody has another chance.
    pub(super) fn succeeded(&mut self) {
        for gateway in &mut self.list {
            gateway.failed = None;
        }
    }

    /// A gateway to tell others of: the one in use, or any that told its name.
    pub(super) fn to_tell(&self, in_use: Option<&P>) -> Option<(u8, &P)> {
        let used = self.list.iter().filter(|gateway| Some(&gateway.address) == in_use);
        used.chain(&self.list).find_map(|gateway| Some((gateway.id?, &gateway.address)))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (Option<u8>, &P)> {
        self.list.iter().map(|gateway| (gateway.id, &gateway.address))
    }
}
