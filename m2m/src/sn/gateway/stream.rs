//! What carries the bytes of a connection to the MQTT server, and where that is.

use alloc::rc::Rc;
use core::cell::Cell;
use core::fmt;
use core::time::Duration;
use std::io::{self, ErrorKind, IoSlice};

use tokio::io::{AsyncReadExt, AsyncWriteExt, Interest};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tracing::info;

use crate::broker::{Engine, LocalClient};
use crate::client::url::Server;

/// The MQTT server.
pub(crate) enum Broker {
    Remote(Servers),
    /// The broker of this process.
    Inside(Rc<Engine>),
}

/// One of several servers, or of a cluster.
pub(crate) struct Servers {
    list: Vec<Server>,
    /// The one that is tried first.
    current: Cell<usize>,
    /// The one that was connected to last.
    used: Cell<usize>,
    /// For all of them together.
    patience: Duration,
}

/// An open connection.
pub(super) enum Stream {
    Tcp {
        tcp: TcpStream,
        /// Its place in the list, if it stands there.
        place: Option<usize>,
        /// Something has come.
        answered: Cell<bool>,
    },
    Inside(LocalClient),
}

impl Broker {
    /// Connects to the server that the last one has named, or to the first of the list that is there.
    pub(super) async fn open(&self, named: Option<&str>) -> io::Result<Stream> {
        match self {
            Self::Remote(servers) => servers.open(named).await,
            Self::Inside(engine) => engine.open_local().map(Stream::Inside).map_err(io::Error::other),
        }
    }

    /// The connection has ended.
    pub(super) fn ended(&self, stream: &Stream) {
        if let (Self::Remote(servers), Stream::Tcp { place, answered, .. }) = (self, stream)
            && !answered.get()
            && *place == Some(servers.current.get())
        {
            // It takes connections and says nothing.
            servers.turn();
        }
    }

    /// The server does not let the gateway in for a reason of its own.
    pub(super) fn refuses(&self) {
        if let Self::Remote(servers) = self {
            servers.turn();
        }
    }
}

impl Servers {
    pub(crate) fn new(list: Vec<Server>, patience: Duration) -> Self {
        Self { list, current: Cell::new(0), used: Cell::new(0), patience }
    }

    async fn open(&self, named: Option<&str>) -> io::Result<Stream> {
        // A server reference may be a list; the first one is taken, and the own list where it cannot be understood.
        if let Some(server) = named.and_then(|list| Server::parse(list.split(' ').next()?).ok()) {
            return self.connect(&server, None).await;
        }
        let (count, first) = (self.list.len(), self.current.get());
        let mut problem = io::Error::from(ErrorKind::NotFound);
        for place in (0..count).map(|offset| (first + offset) % count) {
            let Some(server) = self.list.get(place) else { break };
            match self.connect(server, Some(place)).await {
                Ok(stream) => {
                    self.current.set(place);
                    if self.used.replace(place) != place {
                        info!("mqtt://{server} is used from now on");
                    }
                    return Ok(stream);
                }
                Err(error) => problem = error,
            }
        }
        Err(problem)
    }

    async fn connect(&self, server: &Server, place: Option<usize>) -> io::Result<Stream> {
        let share = self.patience / self.list.len().max(1) as u32;
        let connecting = TcpStream::connect((server.host.as_str(), server.port));
        let opened = timeout(share, connecting).await.unwrap_or_else(|_| Err(ErrorKind::TimedOut.into()));
        let tcp = opened.map_err(|error| match self.list.len() {
            0 | 1 => error,
            _ => io::Error::new(error.kind(), format!("{server}: {error}")),
        })?;
        _ = tcp.set_nodelay(true);
        Ok(Stream::Tcp { tcp, place, answered: Cell::new(false) })
    }

    /// The next one is tried first.
    fn turn(&self) {
        self.current.set((self.current.get() + 1) % self.list.len().max(1));
    }
}

impl fmt::Display for Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Remote(servers) => {
                for (place, server) in servers.list.iter().enumerate() {
                    write!(f, "{}mqtt://{server}", if place > 0 { ", " } else { "" })?;
                }
                Ok(())
            }
            Self::Inside(_) => f.write_str("the broker of this process"),
        }
    }
}

impl Stream {
    pub(super) async fn ready(&self, interest: Interest) -> io::Result<()> {
        match self {
            Self::Tcp { tcp, .. } => tcp.ready(interest).await.map(|_| ()),
            Self::Inside(client) => client.ready(interest).await,
        }
    }

    pub(super) fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp { tcp, answered, .. } => {
                let len = tcp.try_read(buffer)?;
                answered.set(answered.get() || len > 0);
                Ok(len)
            }
            Self::Inside(client) => client.try_read(buffer),
        }
    }

    pub(super) fn try_write_vectored(&self, chunks: &[IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Self::Tcp { tcp, .. } => tcp.try_write_vectored(chunks),
            Self::Inside(client) => client.try_write_vectored(chunks),
        }
    }

    /// Nothing more will be written: waits until the server has closed.
    pub(super) async fn finish(&mut self) -> io::Result<()> {
        match self {
            Self::Tcp { tcp, .. } => {
                tcp.shutdown().await?;
                let mut ignored = [0; 512];
                while tcp.read(&mut ignored).await? > 0 {}
            }
            Self::Inside(client) => client.finish().await,
        }
        Ok(())
    }
}
