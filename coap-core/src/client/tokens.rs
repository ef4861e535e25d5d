//! Whose response it is (RFC 7252 §5.3.2), by token and peer, and by token alone when the request went to a group.
//!
//! A token that is made here says where its exchange is, so that nothing has to be kept to find it. Tokens of the application
//! are kept.

use coap_codec::Message;
use machine::Random;

use super::exchange::{Exchange, Kind};
use super::{Client, Peer};
use crate::Token;

/// The bytes of a token that say where its exchange is.
const PLACE: usize = 3;

impl<P: Peer> Client<P> {
    /// The exchange that a response belongs to.
    pub(super) fn whose(&self, from: P, message: &Message<'_>) -> Option<usize> {
        let token = Token::new(message.token);
        self.with_token(&token, Some(from)).or_else(|| self.with_token(&token, None))
    }

    /// The exchange with this token and peer, or with a group.
    pub(super) fn with_token(&self, token: &Token, peer: Option<P>) -> Option<usize> {
        let is_it = |key: &usize| {
            self.exchanges
                .get(*key)
                .is_some_and(|of| of.token == *token && of.peer() == peer && of.kind != Kind::Ping)
        };
        let told = place_of(token).filter(is_it);
        told.or_else(|| {
            // Nothing is copied where nothing is kept.
            if self.by_token.is_empty() {
                None
            } else {
                self.by_token.get(&(peer, token.clone())).map(|&key| key as usize)
            }
        })
    }

    /// From now on responses with its token belong to this exchange.
    pub(super) fn enter_token(&mut self, key: usize) {
        let exchange = &self.exchanges[key];
        if let Some(name) = exchange.name_to_keep(key) {
            self.by_token.insert(name, key as u32);
        }
    }

    /// Responses with its former token belong to this exchange no more, but those with another.
    pub(super) fn change_token(&mut self, key: usize, token: Token) {
        let exchange = &mut self.exchanges[key];
        let old = exchange.name_to_keep(key);
        exchange.token = token;
        if let Some(old) = old {
            self.by_token.remove(&old);
        }
        self.enter_token(key);
    }

    /// No response belongs to this exchange any more.
    pub(super) fn forget_token(&mut self, key: usize, exchange: &Exchange<P>) {
        if let Some(name) = exchange.name_to_keep(key) {
            self.by_token.remove(&name);
        }
    }
}

impl<P: Peer> Exchange<P> {
    /// The peer whose responses are its own; any when it asks a group.
    fn peer(&self) -> Option<P> {
        (self.kind != Kind::Group).then_some(self.to)
    }

    /// Its token and peer, where the token does not say that the exchange is at `key`.
    fn name_to_keep(&self, key: usize) -> Option<(Option<P>, Token)> {
        let is_told = self.kind == Kind::Ping || place_of(&self.token) == Some(key);
        if is_told { None } else { Some((self.peer(), self.token.clone())) }
    }
}

/// A token that nobody can guess (§5.3.1, §11.4): five bytes of it are random, one more than asked for.
pub(super) fn fresh_token(key: usize, random: &mut Random) -> Token {
    let mut bytes = [0; 8];
    random.fill(&mut bytes);
    if let (Some(place), [low, middle, high, 0, ..]) = (bytes.last_chunk_mut::<PLACE>(), key.to_le_bytes()) {
        *place = [low, middle, high];
    }
    Token::new(&bytes)
}

/// Where a token says that its exchange is. Any eight bytes do.
fn place_of(token: &Token) -> Option<usize> {
    let bytes: &[u8; 8] = token.as_bytes().try_into().ok()?;
    let [.., low, middle, high] = *bytes;
    Some(u32::from_le_bytes([low, middle, high, 0]) as usize)
}
