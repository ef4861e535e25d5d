//! The configuration: command line, file, and the files that it names.

use core::net::SocketAddr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use thiserror::Error;

use super::access::{AccessControl, Acl, InvalidAcl, InvalidPasswords, Passwords};
use super::listener::{Endpoint, InvalidEndpoint};
use crate::sn::gateway::{BesideArguments, BesideDocument, InvalidSn};

/// What the command line says. Where it says something, the configuration file does not count.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    pub(crate) listen: Vec<String>,
    pub(crate) config: Option<PathBuf>,
    pub(crate) password_file: Option<PathBuf>,
    pub(crate) acl_file: Option<PathBuf>,
    pub(crate) metrics: Option<SocketAddr>,
    /// The MQTT-SN gateway inside.
    pub(crate) gateway: BesideArguments,
}

/// Everything the broker is told, read and checked.
#[derive(Debug)]
pub(crate) struct Settings {
    /// Empty: loopback.
    pub(crate) endpoints: Vec<Endpoint>,
    pub(crate) metrics: Option<SocketAddr>,
    /// The MQTT-SN gateway inside, if there is one.
    pub(crate) gateway: Option<BesideArguments>,
    pub(crate) access: AccessControl,
    pub(crate) broker: mqtt_core::Config,
}

/// The configuration file.
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Document {
    listen: Vec<String>,
    allow_anonymous: Option<bool>,
    password_file: Option<PathBuf>,
    acl_file: Option<PathBuf>,
    metrics: Option<SocketAddr>,
    broker: mqtt_core::Config,
    sn: BesideDocument,
}

/// Why the configuration cannot be used.
#[derive(Debug, Error)]
pub(crate) enum InvalidConfig {
    #[error("cannot read {}: {source}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("{} must not be readable by everybody: it holds password hashes (try: chmod o-rwx)", .0.display())]
    Exposed(PathBuf),
    #[error("{} must not be writable by everybody (try: chmod o-w)", .0.display())]
    Writable(PathBuf),
    #[error("{}: {source}", path.display())]
    Syntax { path: PathBuf, source: Box<toml::de::Error> },
    #[error("{}: {key} must not be 0", path.display())]
    Zero { path: PathBuf, key: &'static str },
    #[error("{}: {source}", path.display())]
    Passwords { path: PathBuf, source: InvalidPasswords },
    #[error("{}: {source}", path.display())]
    Acl { path: PathBuf, source: InvalidAcl },
    #[error(transparent)]
    Endpoint(#[from] InvalidEndpoint),
    #[error(transparent)]
    Gateway(#[from] InvalidSn),
}

impl Settings {
    pub(crate) fn load(options: &Options) -> Result<Self, InvalidConfig> {
        let file = options.config.as_deref().map(Document::read).transpose()?.unwrap_or_default();
        let listen = if options.listen.is_empty() { &file.listen } else { &options.listen };
        let endpoints = listen.iter().map(|text| Endpoint::parse(text)).collect::<Result<Vec<_>, _>>()?;
        let passwords = options.password_file.as_deref().or(file.password_file.as_deref());
        let passwords = passwords.map(read_passwords).transpose()?;
        let acl = options.acl_file.as_deref().or(file.acl_file.as_deref());
        let acl = acl.map(read_acl).transpose()?;
        let private = passwords.is_none() && endpoints.iter().all(Endpoint::is_loopback);
        Ok(Self {
            metrics: options.metrics.or(file.metrics),
            gateway: options.gateway.clone().or(&file.sn)?,
            access: AccessControl {
                allow_anonymous: file.allow_anonymous.unwrap_or(private),
                passwords,
                acl,
                reloaded: false,
            },
            broker: mqtt_core::Config { ask: mqtt_core::Ask::default(), ..file.broker },
            endpoints,
        }
        .with_questions())
    }

    fn with_questions(mut self) -> Self {
        self.broker.ask = self.access.ask();
        self
    }
}

impl Document {
    fn read(path: &Path) -> Result<Self, InvalidConfig> {
        let mut file = Self::parse(&read(path)?, path)?;
        // What the file names stands beside it.
        let beside = |name: &mut PathBuf| *name = path.with_file_name("").join(&*name);
        let named = file.password_file.iter_mut().chain(&mut file.acl_file);
        named.chain(file.sn.files()).for_each(beside);
        Ok(file)
    }

    fn parse(text: &str, path: &Path) -> Result<Self, InvalidConfig> {
        let file: Self = toml::from_str(text)
            .map_err(|source| InvalidConfig::Syntax { path: path.to_owned(), source: Box::new(source) })?;
        match file.zero() {
            Some(key) => Err(InvalidConfig::Zero { path: path.to_owned(), key }),
            None => Ok(file),
        }
    }

    /// A limit with which nothing would work.
    fn zero(&self) -> Option<&'static str> {
        let broker = &self.broker;
        let limits = [
            ("broker.max_connections", broker.max_connections == 0),
            ("broker.max_sessions", broker.max_sessions == 0),
            ("broker.connect_timeout", broker.connect_timeout.is_zero()),
            ("broker.max_connect_size", broker.max_connect_size == 0),
            ("broker.max_packet_size", broker.max_packet_size == 0),
            ("broker.max_client_id_size", broker.max_client_id_size == 0),
            ("broker.max_keep_alive", broker.max_keep_alive == 0),
            ("broker.receive_maximum", broker.receive_maximum == 0),
            ("broker.v3_receive_maximum", broker.v3_receive_maximum == 0),
            ("broker.max_inflight", broker.max_inflight == 0),
            ("broker.max_topic_levels", broker.max_topic_levels == 0),
            ("broker.max_memory", broker.max_memory == 0),
            ("broker.output_high_water", broker.output_high_water == 0),
        ];
        limits.iter().find(|(_, zero)| *zero).map(|(key, _)| *key)
    }
}

fn read(path: &Path) -> Result<String, InvalidConfig> {
    fs::read_to_string(path).map_err(|source| InvalidConfig::Unreadable { path: path.to_owned(), source })
}

fn read_passwords(path: &Path) -> Result<Passwords, InvalidConfig> {
    let text = read(path)?;
    if others_may(path, 0o6) {
        return Err(InvalidConfig::Exposed(path.to_owned()));
    }
    Passwords::parse(&text).map_err(|source| InvalidConfig::Passwords { path: path.to_owned(), source })
}

fn read_acl(path: &Path) -> Result<Acl, InvalidConfig> {
    let text = read(path)?;
    if others_may(path, 0o2) {
        return Err(InvalidConfig::Writable(path.to_owned()));
    }
    Acl::parse(&text).map_err(|source| InvalidConfig::Acl { path: path.to_owned(), source })
}

/// Whether users other than the owner and its group have any of these rights on the file.
fn others_may(path: &Path, rights: u32) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & rights != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = include_str!("../../m2m.toml");

    fn parse(text: &str) -> Result<Document, String> {
        Document::parse(text, Path::new("m2m.toml")).map_err(|error| error.to_string())
    }

    #[test]
    fn the_sample_holds_the_defaults() {
        assert_eq!(parse(SAMPLE), Ok(Document { listen: loopback(), ..Document::default() }));
        assert_eq!(parse(""), Ok(Document::default()));
    }

    fn loopback() -> Vec<String> {
        vec!["tcp://127.0.0.1:1883".into(), "tcp://[::1]:1883".into()]
    }

    /// Every field stands in the sample, also those whose default is to be absent.
    #[test]
    fn the_sample_names_every_key() {
        let debug = format!("{:#?}", Document::default());
        let keys = debug.lines().filter_map(|line| line.trim().split_once(": ")).map(|(key, _)| key);
        let host_set = ["ask", "durable", "connect", "checks", "publish", "subscribe", "deliver"];
        let mut count = 0;
        for key in keys.filter(|key| !host_set.contains(key)) {
            let named = |line: &str| {
                line.trim_start_matches("# ").split_once(" = ").is_some_and(|(name, _)| name == key)
            };
            let table = format!("[{key}]");
            let nested = format!(".{key}]");
            assert!(
                SAMPLE.lines().any(|line| named(line) || line == table || line.ends_with(&nested)),
                "{key}"
            );
            count += 1;
        }
        assert!(count > 30, "the keys were found");
    }

    #[test]
    fn errors_say_where_and_what_is_allowed() {
        let error = parse("listen = []\n\n[broker]\nmax_conections = 1\n").unwrap_err();
        for part in ["m2m.toml", "line 4, column 1", "unknown field `max_conections`", "`max_connections`"] {
            assert!(error.contains(part), "{part}: {error}");
        }
        assert!(parse("[broker]\nmax_qos = 3\n").unwrap_err().contains("line 2, column 11"));
        assert!(parse("[broker]\nsys_interval = -1\n").unwrap_err().contains("expected a number of seconds"));
        assert!(parse("[broker.queue]\npolicy = \"random\"\n").unwrap_err().contains("`newest`"));
        assert!(parse("[broker]\nask = {}\n").is_err(), "the host decides that");
        assert_eq!(
            parse("[broker]\nreceive_maximum = 0\n").unwrap_err(),
            "m2m.toml: broker.receive_maximum must not be 0"
        );
    }

    #[test]
    fn the_command_line_goes_first_and_files_stand_beside_the_configuration() {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("broker.toml");
        fs::write(&config, "listen = ['tcp://0.0.0.0:7']\nacl_file = 'acl'\nmetrics = '127.0.0.1:1'\n")
            .unwrap();
        let mut options = Options { config: Some(config), ..Options::default() };
        assert!(
            matches!(Settings::load(&options), Err(InvalidConfig::Unreadable { path, .. }) if path.ends_with("acl"))
        );

        fs::write(folder.path().join("acl"), "topic a").unwrap();
        let settings = Settings::load(&options).unwrap();
        assert_eq!(settings.endpoints, [Endpoint::parse("tcp://0.0.0.0:7").unwrap()]);
        assert!(
            settings.access.acl.is_some() && !settings.access.allow_anonymous,
            "an open port needs a word"
        );
        assert!(settings.broker.ask.connect && settings.gateway.is_none());

        options.listen = vec!["tcp://127.0.0.1:8".into()];
        options.metrics = Some(([127, 0, 0, 1], 2).into());
        let settings = Settings::load(&options).unwrap();
        assert_eq!(settings.endpoints, [Endpoint::parse("tcp://127.0.0.1:8").unwrap()]);
        assert_eq!(settings.metrics.unwrap().port(), 2);
        assert!(settings.access.allow_anonymous);
    }

    #[test]
    fn a_gateway_inside_stands_in_the_file_or_on_the_command_line() {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("broker.toml");
        let in_file = |text: &str| {
            fs::write(&config, text).unwrap();
            Settings::load(&Options { config: Some(config.clone()), ..Options::default() })
        };
        assert!(in_file("").unwrap().gateway.is_none());
        let listening = "[sn]\nlisten = ['udp://127.0.0.1:7']\npredefined = 'topics'\nmode = 'aggregating'";
        let gateway = in_file(listening).unwrap().gateway.expect("a gateway");
        let debug = format!("{gateway:?}");
        for part in ["127.0.0.1:7", "Aggregating", folder.path().join("topics").to_str().unwrap()] {
            assert!(debug.contains(part), "{part}: {debug}");
        }
        for (text, problem) in [
            ("listen = ['tcp://a']", "[sn] tcp://a: expected udp://ADDRESS[:PORT]"),
            (
                "listen = ['udp://[::1]']\nmulticast = '127.0.0.1'",
                "neither a group nor the broadcast address",
            ),
            ("mode = 'other'", "unknown variant `other`"),
        ] {
            let error = in_file(&format!("[sn]\n{text}")).unwrap_err().to_string();
            assert!(error.contains(problem), "{error}");
        }
    }

    #[test]
    fn exposed_password_files_are_refused() {
        use std::os::unix::fs::PermissionsExt;
        let file = tempfile::NamedTempFile::new().unwrap();
        let options = Options { password_file: Some(file.path().to_owned()), ..Options::default() };
        assert!(
            !Settings::load(&options).unwrap().access.allow_anonymous,
            "a password file ends anonymous access"
        );
        fs::set_permissions(file.path(), fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(Settings::load(&options), Err(InvalidConfig::Exposed(_))));
    }
}
