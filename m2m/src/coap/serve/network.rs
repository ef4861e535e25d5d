//! Networks: an address and how many bits of it count.

use core::net::IpAddr;

use thiserror::Error;

/// As in `192.0.2.0/24`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Network {
    /// The bits that count, in the upper ones.
    prefix: u128,
    bits: u32,
    is_v4: bool,
}

#[derive(Debug, Error)]
#[error("expected a network such as 192.0.2.0/24 or 2001:db8::/32, or an address")]
pub(super) struct InvalidNetwork;

impl Network {
    pub(super) fn parse(text: &str) -> Result<Self, InvalidNetwork> {
        let (address, bits) =
            text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let address: IpAddr = address.parse().map_err(|_| InvalidNetwork)?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(most), str::parse).map_err(|_| InvalidNetwork)?;
        if bits > most {
            return Err(InvalidNetwork);
        }
        Ok(Self { prefix: upper(address, bits), bits, is_v4: address.is_ipv4() })
    }

    pub(super) fn contains(&self, address: IpAddr) -> bool {
        self.is_v4 == address.is_ipv4() && upper(address, self.bits) == self.prefix
    }
}

/// The first bits of an address, in the upper ones of the result.
fn upper(address: IpAddr, bits: u32) -> u128 {
    let address = match address {
        IpAddr::V4(address) => u128::from(address.to_bits()) << 96,
        IpAddr::V6(address) => address.to_bits(),
    };
    let mask = u128::MAX.checked_shl(128 - bits).unwrap_or(0);
    address & mask
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_a_network() {
        let contains =
            |net: &str, address: &str| Network::parse(net).unwrap().contains(address.parse().unwrap());
        assert!(contains("192.0.2.0/24", "192.0.2.255"));
        assert!(!contains("192.0.2.0/24", "192.0.3.0"));
        assert!(contains("192.0.2.9/24", "192.0.2.1"));
        assert!(contains("0.0.0.0/0", "198.51.100.1") && !contains("0.0.0.0/0", "::1"));
        assert!(contains("::/0", "2001:db8::1") && !contains("::/0", "192.0.2.1"));
        assert!(contains("192.0.2.1", "192.0.2.1") && !contains("192.0.2.1", "192.0.2.2"));
        assert!(
            contains("2001:db8::/33", "2001:db8:7fff::1") && !contains("2001:db8::/33", "2001:db8:8000::1")
        );
        for text in ["", "192.0.2.0/33", "192.0.2.0/-1", "192.0.2/24", "::/129", "lo", "192.0.2.0/"] {
            assert!(Network::parse(text).is_err(), "{text}");
        }
    }
}
