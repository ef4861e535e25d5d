//! The options that a request for a URI carries. RFC 7252 §6.4 steps 5 to 9.

use core::fmt::{self, Write};
use core::net::IpAddr;

use super::{Arguments, Destination, Host, MAX_VALUE_LEN, PercentEncoded, Segments, Uri};
use crate::{OptionNumber, UintValue};

impl<'a> Uri<'a> {
    /// The options of a request that is sent to the host and port of this URI: Uri-Host for a name, Uri-Path and Uri-Query.
    pub fn options(&self) -> RequestOptions<'a> {
        let host = self.host.name().map(UriOptionValue::Text);
        RequestOptions { host, port: None, path: self.path_segments(), query: self.query_arguments() }
    }

    /// The options of a request that is sent to `destination`, by way of a proxy or a connection that exists:
    /// Uri-Host and Uri-Port where they are not the defaults there.
    /// ```
    /// use coap_codec::uri::{Destination, Uri};
    ///
    /// let uri = Uri::parse("coap://192.0.2.1:7777/")?;
    /// let there = Destination::from("192.0.2.1:5683".parse::<std::net::SocketAddr>().unwrap());
    /// let options: Vec<_> = uri.options_to(&there).map(|option| option.number.get()).collect();
    /// assert_eq!(options, [7]);
    /// # Ok::<(), coap_codec::uri::InvalidUri>(())
    /// ```
    pub fn options_to(&self, destination: &Destination<'_>) -> RequestOptions<'a> {
        let host = (!self.host.is_default_for(&destination.host)).then_some(self.host);
        let port = Some(self.port_or_default()).filter(|port| *port != destination.port);
        RequestOptions { host: host.map(UriOptionValue::from), port, ..self.options() }
    }

    /// Calls `f` with each option of [`options`](Self::options), decoded into `scratch`, until it fails.
    ///
    /// # Errors
    /// The first error of `f`.
    pub fn for_each_option<E>(
        &self,
        scratch: &mut [u8; MAX_VALUE_LEN],
        f: impl FnMut(OptionNumber, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        self.options().try_for_each_decoded(scratch, f)
    }
}

/// The options of a request, in ascending order of their numbers, decoded on demand.
#[derive(Clone, Debug)]
pub struct RequestOptions<'a> {
    host: Option<UriOptionValue<'a>>,
    port: Option<u16>,
    path: Segments<'a>,
    query: Arguments<'a>,
}

impl RequestOptions<'_> {
    /// Calls `f` with the number and the decoded value of each option, until it fails.
    ///
    /// # Errors
    /// The first error of `f`.
    pub fn try_for_each_decoded<E>(
        self,
        scratch: &mut [u8; MAX_VALUE_LEN],
        mut f: impl FnMut(OptionNumber, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        for option in self {
            f(option.number, option.value.decode(scratch).unwrap_or_default())?;
        }
        Ok(())
    }
}

impl<'a> Iterator for RequestOptions<'a> {
    type Item = UriOption<'a>;

    fn next(&mut self) -> Option<UriOption<'a>> {
        let text = |number| move |text| UriOption { number, value: UriOptionValue::Text(text) };
        let host = self.host.take().map(|value| UriOption { number: OptionNumber::URI_HOST, value });
        let port = |port| UriOption { number: OptionNumber::URI_PORT, value: UriOptionValue::Port(port) };
        host.or_else(|| self.port.take().map(port))
            .or_else(|| self.path.next().map(text(OptionNumber::URI_PATH)))
            .or_else(|| self.query.next().map(text(OptionNumber::URI_QUERY)))
    }
}

/// One option of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UriOption<'a> {
    /// Uri-Host, Uri-Port, Uri-Path or Uri-Query.
    pub number: OptionNumber,
    /// Its value.
    pub value: UriOptionValue<'a>,
}

/// The value of an option, not yet written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UriOptionValue<'a> {
    /// Uri-Host with an address, as a URI has it. Never with a zone.
    Address(IpAddr),
    /// Uri-Port.
    Port(u16),
    /// Uri-Host with a name, Uri-Path or Uri-Query.
    Text(PercentEncoded<'a>),
}

impl<'a> UriOptionValue<'a> {
    /// The value as it travels, borrowed or written into `buffer`. `None` when that is too small; 255 bytes never are.
    pub fn decode<'b>(self, buffer: &'b mut [u8]) -> Option<&'b [u8]>
    where
        'a: 'b,
    {
        match self {
            Self::Text(text) => text.decode(buffer).map(str::as_bytes),
            Self::Port(port) => {
                let value = UintValue::new(port.into());
                let place = buffer.get_mut(..value.len())?;
                place.copy_from_slice(&value);
                Some(place)
            }
            Self::Address(address) => {
                let mut out = Slice { buffer, len: 0 };
                write!(out, "{}", Host::from(address)).ok()?;
                let Slice { buffer, len } = out;
                buffer.get(..len)
            }
        }
    }
}

impl<'a> From<Host<'a>> for UriOptionValue<'a> {
    fn from(host: Host<'a>) -> Self {
        match host {
            Host::Ipv4(address) => Self::Address(address.into()),
            Host::Ipv6 { address, .. } => Self::Address(address.into()),
            Host::Name(name) => Self::Text(name),
        }
    }
}

struct Slice<'b> {
    buffer: &'b mut [u8],
    len: usize,
}

impl fmt::Write for Slice<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.len + text.len();
        let place = self.buffer.get_mut(self.len..end).ok_or(fmt::Error)?;
        place.copy_from_slice(text.as_bytes());
        self.len = end;
        Ok(())
    }
}
