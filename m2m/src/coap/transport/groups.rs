//! Network interfaces, and the groups of all CoAP nodes.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::io;

use nix::ifaddrs::getifaddrs;
use nix::net::if_::{InterfaceFlags, if_nametoindex};

use super::{Socket, address};

/// All CoAP Nodes of IPv4, and of IPv6 in link-local and site-local scope (RFC 7252 §12.8).
pub(super) const ALL_COAP_NODES: [IpAddr; 3] = [
    IpAddr::V4(Ipv4Addr::new(224, 0, 1, 187)),
    IpAddr::V6(Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0xfd)),
    IpAddr::V6(Ipv6Addr::new(0xff05, 0, 0, 0, 0, 0, 0, 0xfd)),
];

/// A network interface that is up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Interface {
    pub(crate) name: String,
    pub(crate) index: u32,
    pub(crate) address: IpAddr,
}

impl Interface {
    /// One entry for each address.
    pub(crate) fn all() -> io::Result<Vec<Self>> {
        let interfaces = getifaddrs()?.filter(|interface| interface.flags.contains(InterfaceFlags::IFF_UP));
        Ok(interfaces
            .filter_map(|interface| {
                let address = address(interface.address.as_ref()?)?.ip();
                let index = Self::index(&interface.interface_name).ok()?;
                Some(Self { name: interface.interface_name, index, address })
            })
            .collect())
    }

    /// By its name.
    pub(crate) fn index(name: &str) -> io::Result<u32> {
        Ok(if_nametoindex(name)?)
    }
}

impl Socket {
    /// Lets what is sent to All CoAP Nodes come in, on every network interface that can do it. For a socket that is bound to
    /// all addresses: others get nothing that is sent to a group.
    ///
    /// Returns on how many interfaces it could be done.
    pub(crate) fn join_all_coap_nodes(&self) -> io::Result<usize> {
        let mut interfaces = Interface::all()?;
        interfaces.retain(|interface| interface.address.is_ipv4() == self.local.is_ipv4());
        interfaces.sort_by_key(|interface| interface.index);
        interfaces.dedup_by_key(|interface| interface.index);
        let joined = interfaces.iter().filter(|interface| self.join(interface)).count();
        Ok(joined)
    }

    /// The same on one interface; false where it cannot be done.
    pub(crate) fn join(&self, interface: &Interface) -> bool {
        let join = |group| match (group, interface.address) {
            (IpAddr::V4(group), IpAddr::V4(address)) => self.udp.join_multicast_v4(group, address).is_ok(),
            (IpAddr::V6(group), IpAddr::V6(_)) => self.udp.join_multicast_v6(&group, interface.index).is_ok(),
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        };
        ALL_COAP_NODES.map(join).contains(&true)
    }
}
