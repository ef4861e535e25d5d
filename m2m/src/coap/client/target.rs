//! Where a request goes, and what of its URI travels with it.

use core::net::{IpAddr, SocketAddr, SocketAddrV6};

use coap_codec::OptionNumber;
use coap_codec::uri::{Destination, Host, MAX_VALUE_LEN, Scheme, Uri};
use coap_core::{OptionList, Request};
use tokio::net::lookup_host;

use super::super::transport::Interface;
use super::arguments::{LinkArguments, RequestArguments};
use super::failure::Failure;

/// What a URI comes to.
#[derive(Clone, Debug)]
pub(super) struct Target {
    /// To be tried in this order. Never empty.
    pub(super) addresses: Vec<SocketAddr>,
    /// Uri-Host, Uri-Port, Uri-Path and Uri-Query, and Proxy-Scheme.
    pub(super) options: OptionList,
    /// The network interface that it has to leave at, 0 for any.
    pub(super) interface: u32,
}

impl Target {
    pub(super) async fn of(arguments: &RequestArguments) -> Result<Self, Failure> {
        Self::resolve(&arguments.uri, &arguments.link).await
    }

    /// Looks up the host. With a proxy, the request goes there.
    pub(super) async fn resolve(uri: &str, link: &LinkArguments) -> Result<Self, Failure> {
        let parsed = parse(uri)?;
        let interface = link.interface.as_deref().map_or(Ok(0), index)?;
        let (server, options) = match link.proxy.as_deref() {
            None => {
                must_be_datagrams(&parsed, uri)?;
                (parsed, options(&parsed, None))
            }
            Some(proxy) => {
                let server = proxy_at(proxy)?;
                (server, options(&parsed, Some(&server)))
            }
        };
        let mut addresses = addresses(&server, interface).await?;
        if let Some(local) = link.address {
            addresses.retain(|address| address.is_ipv4() == local.is_ipv4());
        }
        if addresses.is_empty() {
            let local = link.address.map(|address| format!("-a {address}: ")).unwrap_or_default();
            return Err(Failure::usage(format_args!("{local}{} cannot be reached from there", server.host)));
        }
        Ok(Self { addresses, options, interface })
    }

    /// The request, with what the URI says of it; what it says already goes after that.
    pub(super) fn complete(&self, request: Request) -> Request {
        let mut options = self.options.clone();
        for option in request.options.view() {
            options.add(option.number, option.value);
        }
        Request { options, ..request }
    }

    /// Whether it is a group that is asked.
    pub(super) fn is_group(&self) -> bool {
        self.addresses.iter().any(|address| address.ip().is_multicast())
    }
}

fn parse(text: &str) -> Result<Uri<'_>, Failure> {
    Uri::parse(text).map_err(|problem| Failure::Uri { text: text.to_owned(), problem })
}

fn proxy_at(text: &str) -> Result<Uri<'_>, Failure> {
    let uri = parse(text)?;
    must_be_datagrams(&uri, text)?;
    if uri.path_segments().next().is_some() {
        return Err(Failure::usage(format_args!("{text}: a proxy is named without a path")));
    }
    Ok(uri)
}

fn must_be_datagrams(uri: &Uri<'_>, text: &str) -> Result<(), Failure> {
    if uri.scheme == Scheme::Coap {
        return Ok(());
    }
    let scheme = uri.scheme;
    let what = match (scheme.is_secure(), scheme.is_datagram()) {
        (_, true) => "DTLS",
        (true, false) => "TLS",
        (false, false) => "TCP and WebSockets",
    };
    let problem = format_args!(
        "{text}: {scheme}:// is not yet supported by this program, which speaks no {what}; use coap://"
    );
    Err(Failure::usage(problem))
}

fn options(uri: &Uri<'_>, proxy: Option<&Uri<'_>>) -> OptionList {
    let mut list = OptionList::new();
    let mut scratch = [0; MAX_VALUE_LEN];
    let options = match proxy {
        Some(proxy) => {
            list.add(OptionNumber::PROXY_SCHEME, uri.scheme.name().as_bytes());
            uri.options_to(&Destination { host: proxy.host, port: proxy.port_or_default() })
        }
        None => uri.options(),
    };
    for option in options {
        if let Some(value) = option.value.decode(&mut scratch) {
            list.add(option.number, value);
        }
    }
    list
}

async fn addresses(server: &Uri<'_>, interface: u32) -> Result<Vec<SocketAddr>, Failure> {
    let port = server.port_or_default();
    match server.host {
        Host::Ipv4(address) => Ok(vec![SocketAddr::new(address.into(), port)]),
        Host::Ipv6 { address, zone } => {
            let zone = zone.map_or(Ok(0), |zone| index(&zone.to_string()))?;
            let zone = match zone {
                0 if needs_zone(address.into()) => interface,
                zone => zone,
            };
            Ok(vec![SocketAddrV6::new(address, port, 0, zone).into()])
        }
        Host::Name(name) => {
            let name = name.to_string();
            let found = lookup_host((name.as_str(), port)).await;
            let found: Vec<SocketAddr> =
                found.map_err(|error| Failure::Other(format!("{name} has no address: {error}")))?.collect();
            Ok(found)
        }
    }
}

/// Whether the address means something on one link only.
fn needs_zone(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(_) => false,
        IpAddr::V6(address) => {
            address.is_unicast_link_local() || matches!(address.segments()[0] & 0xff0f, 0xff01 | 0xff02)
        }
    }
}

/// An interface by its name or number.
fn index(name: &str) -> Result<u32, Failure> {
    match name.parse() {
        Ok(number) => Ok(number),
        Err(_) => Interface::index(name)
            .map_err(|_| Failure::Other(format!("there is no network interface `{name}`"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::runtime::Builder;

    fn resolve(uri: &str, proxy: Option<&str>) -> Result<Target, Failure> {
        let link = LinkArguments { proxy: proxy.map(str::to_owned), ..LinkArguments::default() };
        Builder::new_current_thread().enable_all().build().unwrap().block_on(Target::resolve(uri, &link))
    }

    fn numbers(target: &Target) -> Vec<(u16, String)> {
        let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
        target.options.view().iter().map(|option| (option.number.get(), text(option.value))).collect()
    }

    #[test]
    fn an_address_needs_no_uri_host() {
        let target = resolve("coap://[::1]:7/a/b%20c?x=1&y", None).unwrap();
        assert_eq!(target.addresses, ["[::1]:7".parse().unwrap()]);
        let expected = [(11, "a"), (11, "b c"), (15, "x=1"), (15, "y")];
        assert_eq!(numbers(&target), expected.map(|(number, text)| (number, text.to_owned())));
        assert!(!target.is_group());
        assert!(resolve("coap://[ff02::fd]/", None).unwrap().is_group());
    }

    #[test]
    fn a_name_is_looked_up_and_sent() {
        let target = resolve("coap://LocalHost/", None).unwrap();
        assert!(target.addresses.iter().all(|address| address.ip().is_loopback() && address.port() == 5683));
        assert_eq!(numbers(&target), [(3, "localhost".to_owned())]);
        let failure = resolve("coap://no.such.host.invalid/", None).unwrap_err().to_string();
        assert!(failure.starts_with("no.such.host.invalid has no address: "), "{failure}");
    }

    #[test]
    fn a_zone_is_an_interface() {
        let target = resolve("coap://[fe80::1%25lo]/", None).unwrap();
        let SocketAddr::V6(address) = target.addresses[0] else { panic!("not IPv6") };
        assert!(address.scope_id() > 0);
        assert!(resolve("coap://[fe80::1%25nosuch0]/", None).is_err());
    }

    #[test]
    fn a_proxy_is_told_the_rest() {
        let target = resolve("coap+tcp://192.0.2.7/a", Some("coap://127.0.0.1:99")).unwrap();
        assert_eq!(target.addresses, ["127.0.0.1:99".parse().unwrap()]);
        assert_eq!(
            numbers(&target),
            [(3, "192.0.2.7".into()), (7, "\u{16}3".into()), (11, "a".into()), (39, "coap+tcp".into())]
        );
        assert!(resolve("coap://h/", Some("coap://127.0.0.1/x")).is_err());
    }

    #[test]
    fn what_is_not_supported_says_so() {
        for (uri, word) in [
            ("coaps://h/", "DTLS"),
            ("coap+tcp://h/", "TCP"),
            ("coaps+ws://h/", "TLS"),
            ("coap+ws://h/", "WebSockets"),
        ] {
            let failure = resolve(uri, None).unwrap_err().to_string();
            assert!(failure.contains("not yet supported") && failure.contains(word), "{failure}");
        }
    }
}
