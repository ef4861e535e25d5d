//! One TCP connection at a time, between opening and its last bytes.

use core::future::{Future, pending};
use core::pin::Pin;
use core::time::Duration;
use std::io::{self, ErrorKind, IoSlice};

use mqtt_core::Output;
use tokio::io::{AsyncReadExt, AsyncWriteExt, Interest};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::url::Server;

/// Chunks of one vectored write.
const CHUNKS: usize = 64;
/// How long the last bytes may take to leave, and the server to end its side.
const FAREWELL: Duration = Duration::from_secs(5);

pub(crate) enum Link {
    Closed,
    Opening(Pin<Box<dyn Future<Output = io::Result<TcpStream>>>>),
    Open(TcpStream),
    Closing(Pin<Box<dyn Future<Output = ()>>>),
}

/// What became of a link.
pub(crate) enum Turn {
    Opened,
    Moved {
        written: usize,
        read: usize,
    },
    /// With what the operating system said, if it was not the peer's doing.
    Ended(Option<io::Error>),
}

impl Link {
    /// All addresses of the name are tried, in the order that the system's resolver gives.
    pub(crate) fn open(server: &Server) -> Self {
        let Server { host, port } = server.clone();
        Self::Opening(Box::pin(async move { TcpStream::connect((host, port)).await }))
    }

    /// Sends the last bytes and waits for the server to close: a connection that is closed with bytes unread takes back
    /// what it has sent.
    pub(crate) fn close(&mut self, output: Output<'_>) {
        let rest: Vec<&[u8]> = output.collect();
        let rest = rest.concat();
        *self = match core::mem::replace(self, Self::Closed) {
            Self::Open(stream) => Self::Closing(Box::pin(async move {
                _ = timeout(FAREWELL, farewell(stream, &rest)).await;
            })),
            Self::Closed | Self::Opening(_) | Self::Closing(_) => Self::Closing(Box::pin(async {})),
        };
    }

    /// Goes on by one step; never ends for a closed link. May be dropped and asked for again.
    pub(crate) async fn turn(&mut self, output: Output<'_>, buffer: &mut [u8]) -> Turn {
        let result = match self {
            Self::Closed => pending().await,
            Self::Opening(opening) => match opening.await {
                Ok(stream) => {
                    _ = stream.set_nodelay(true);
                    *self = Self::Open(stream);
                    return Turn::Opened;
                }
                Err(problem) => Err(Some(problem)),
            },
            Self::Open(stream) => transfer(stream, output, buffer).await,
            Self::Closing(closing) => {
                closing.await;
                Err(None)
            }
        };
        result.unwrap_or_else(|problem| {
            *self = Self::Closed;
            Turn::Ended(problem)
        })
    }
}

/// Waits until something can be written or read, and does it.
async fn transfer(
    stream: &TcpStream,
    output: Output<'_>,
    buffer: &mut [u8],
) -> Result<Turn, Option<io::Error>> {
    let chunks: Vec<IoSlice<'_>> = output.take(CHUNKS).map(IoSlice::new).collect();
    let interest =
        if chunks.is_empty() { Interest::READABLE } else { Interest::READABLE | Interest::WRITABLE };
    loop {
        stream.ready(interest).await?;
        let written =
            if chunks.is_empty() { 0 } else { count(stream.try_write_vectored(&chunks))?.unwrap_or(0) };
        let read = count(stream.try_read(buffer))?;
        match (written, read) {
            (_, Some(0)) => return Err(None),
            (0, None) => {}
            (written, read) => return Ok(Turn::Moved { written, read: read.unwrap_or(0) }),
        }
    }
}

/// `None` when nothing can be done now.
fn count(result: io::Result<usize>) -> io::Result<Option<usize>> {
    match result {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => Ok(None),
        Err(error) => Err(error),
    }
}

async fn farewell(mut stream: TcpStream, rest: &[u8]) -> io::Result<()> {
    stream.write_all(rest).await?;
    stream.shutdown().await?;
    let mut ignored = [0; 4096];
    while stream.read(&mut ignored).await? > 0 {}
    Ok(())
}
