//! `mqtt://[user[:password]@]host[:port]/topic`, and server references.

use thiserror::Error;

/// The port of MQTT over TCP, as registered.
pub(crate) const PORT: u16 = 1883;

/// Where a broker listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Server {
    pub(crate) host: String,
    pub(crate) port: u16,
}

/// What an `mqtt://` URL says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Url {
    pub(crate) server: Server,
    pub(crate) username: Option<String>,
    pub(crate) password: Option<String>,
    /// As it stands in the URL: `#`, `+` and `%` are parts of topics.
    pub(crate) topic: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum InvalidUrl {
    #[error("expected mqtt://[user[:password]@]host[:port]/topic")]
    Form,
    #[error("{0}:// is not supported, only mqtt:// is")]
    Scheme(String),
    #[error("the topic is missing after the host: mqtt://host/topic")]
    NoTopic,
    #[error("`{0}` is not a port (1 to 65535)")]
    Port(String),
    #[error("`{0}`: a % in a user name or password is written %25, an @ %40, a : %3A")]
    Escape(String),
}

impl Url {
    pub(crate) fn parse(text: &str) -> Result<Self, InvalidUrl> {
        let (scheme, rest) = text.split_once("://").ok_or(InvalidUrl::Form)?;
        if !scheme.eq_ignore_ascii_case("mqtt") {
            return Err(InvalidUrl::Scheme(scheme.to_owned()));
        }
        let (authority, topic) = rest.split_once('/').ok_or(InvalidUrl::NoTopic)?;
        if topic.is_empty() {
            return Err(InvalidUrl::NoTopic);
        }
        let (login, server) = match authority.rsplit_once('@') {
            Some((login, server)) => (Some(login), server),
            None => (None, authority),
        };
        let (username, password) = match login.map(|login| login.split_once(':').ok_or(login)) {
            None => (None, None),
            Some(Ok((username, password))) => (Some(unescape(username)?), Some(unescape(password)?)),
            Some(Err(username)) => (Some(unescape(username)?), None),
        };
        Ok(Self { server: Server::parse(server)?, username, password, topic: Some(topic.to_owned()) })
    }
}

impl Server {
    /// `host`, `host:port`, `[IPv6 address]` or `[IPv6 address]:port`.
    pub(crate) fn parse(text: &str) -> Result<Self, InvalidUrl> {
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (host, rest) = rest.split_once(']').ok_or(InvalidUrl::Form)?;
                (
                    host,
                    if rest.is_empty() {
                        None
                    } else {
                        Some(rest.strip_prefix(':').ok_or(InvalidUrl::Form)?)
                    },
                )
            }
            None => match text.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (text, None),
            },
        };
        if host.is_empty() {
            return Err(InvalidUrl::Form);
        }
        let port = port.map_or(Ok(PORT), |port| match port.parse() {
            Ok(0) | Err(_) => Err(InvalidUrl::Port(port.to_owned())),
            Ok(port) => Ok(port),
        })?;
        Ok(Self { host: host.to_owned(), port })
    }
}

impl core::fmt::Display for Server {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let Self { host, port } = self;
        if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}

/// Percent-encoding (RFC 3986 §2.1).
fn unescape(text: &str) -> Result<String, InvalidUrl> {
    let invalid = || InvalidUrl::Escape(text.to_owned());
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2).ok_or_else(invalid)?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(invalid());
        }
        bytes.push(u8::from_str_radix(digits, 16).map_err(|_| invalid())?);
        bytes.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(bytes).map_err(|_| invalid())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> (String, Option<String>, Option<String>, String) {
        let url = Url::parse(text).unwrap();
        (url.server.to_string(), url.username, url.password, url.topic.unwrap())
    }

    #[test]
    fn every_part_may_be_left_out_but_host_and_topic() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(url("mqtt://host/a/b"), ("host:1883".into(), None, None, "a/b".into()));
        assert_eq!(url("MQTT://host:1/a"), ("host:1".into(), None, None, "a".into()));
        assert_eq!(url("mqtt://u@h/a"), ("h:1883".into(), some("u"), None, "a".into()));
        assert_eq!(url("mqtt://u:@h/a"), ("h:1883".into(), some("u"), some(""), "a".into()));
        assert_eq!(url("mqtt://u:p@h/a"), ("h:1883".into(), some("u"), some("p"), "a".into()));
        assert_eq!(url("mqtt://[::1]/a"), ("[::1]:1883".into(), None, None, "a".into()));
        assert_eq!(url("mqtt://u:p@[::1]:7/a"), ("[::1]:7".into(), some("u"), some("p"), "a".into()));
    }

    #[test]
    fn escapes_count_in_the_login_only() {
        let (_, username, password, topic) = url("mqtt://a%40b:%3Ap%25%C3%A9@h/x%20y/#");
        assert_eq!((username.as_deref(), password.as_deref()), (Some("a@b"), Some(":p%é")));
        assert_eq!(topic, "x%20y/#");
    }

    #[test]
    fn what_is_none_is_refused() {
        for text in ["", "host/a", "mqtt://", "mqtt:///a", "mqtt://u@/a", "mqtt://[::1/a", "mqtt://[::1]x/a"]
        {
            assert!(Url::parse(text).is_err(), "{text}");
        }
        assert_eq!(Url::parse("mqtts://h/a"), Err(InvalidUrl::Scheme("mqtts".into())));
        assert_eq!(Url::parse("mqtt://h"), Err(InvalidUrl::NoTopic));
        assert_eq!(Url::parse("mqtt://h/"), Err(InvalidUrl::NoTopic));
        for port in ["", "0", "65536", "x", "-1"] {
            assert_eq!(Url::parse(&format!("mqtt://h:{port}/a")), Err(InvalidUrl::Port(port.into())));
        }
        for login in ["%", "%4", "%+1", "%zz", "%ff", "%é"] {
            assert_eq!(Url::parse(&format!("mqtt://{login}@h/a")), Err(InvalidUrl::Escape(login.into())));
        }
    }
}
