//! Whose response it is (RFC 7252 §5.3.2), by token and peer, and by token alone when the request went to a group.
//!
//! A token that is made here says where its exchange is, so that nothing has to be kept to find it. Tokens of the application
//! are kept.

use core::cmp::Ordering;

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
            self.exchanges.get(*key).is_some_and(|exchange| exchange.cmp_name(token, peer).is_eq())
        };
        let kept = || self.by_token.find(|slot| self.exchanges[slot as usize].cmp_name(token, peer));
        place_of(token).filter(is_it).or_else(|| kept().map(|slot| slot as usize))
    }

    /// From now on responses with its token belong to this exchange.
    pub(super) fn enter_token(&mut self, key: usize) {
        let exchange = &self.exchanges[key];
        if exchange.is_kept(key) {
            let (token, peer) = (&exchange.token, exchange.peer());
            self.by_token.insert(key as u32, &|other| self.exchanges[other as usize].cmp_name(token, peer));
        }
    }

    /// No response belongs to this exchange any more, until another token is entered.
    pub(super) fn forget_token(&mut self, key: usize) {
        let exchange = &self.exchanges[key];
        if exchange.is_kept(key) {
            let (token, peer) = (&exchange.token, exchange.peer());
            self.by_token.remove(key as u32, &|other| self.exchanges[other as usize].cmp_name(token, peer));
        }
    }
}

impl<P: Peer> Exchange<P> {
    /// The peer whose responses are its own; any when it asks a group.
    fn peer(&self) -> Option<P> {
        (self.kind != Kind::Group).then_some(self.to)
    }

    /// The order of its token and peer, and others. A ping has no token: it comes before all.
    fn cmp_name(&self, token: &Token, peer: Option<P>) -> Ordering {
        if self.kind == Kind::Ping {
            return Ordering::Less;
        }
        self.token.cmp(token).then_with(|| self.peer().cmp(&peer))
    }

    /// Whether its token has to be kept, as it does not say that the exchange is at `key`.
    fn is_kept(&self, key: usize) -> bool {
        self.kind != Kind::Ping && place_of(&self.token) != Some(key)
    }
}

/// A token that nobody can guess (§5.3.1, §11.4): five bytes of it are random, one more than asked for.
pub(super) fn fresh_token(key: usize, random: &mut Random) -> Token {
    let mut bytes = random.next_u64().to_le_bytes();
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
