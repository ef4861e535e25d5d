//! A network that loses datagrams, for peers that cannot lose their own.

use std::collections::HashMap;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Loses the first of every four datagrams in each direction, from the first one on.
///
/// The tests shorten the time-out that a repetition waits for, so that they do not take minutes.
pub(crate) struct Lossy {
    pub(crate) port: u16,
    /// What was lost.
    lost: Arc<AtomicUsize>,
}

impl Lossy {
    pub(crate) fn to(server: u16) -> Self {
        let front = Arc::new(UdpSocket::bind("127.0.0.1:0").unwrap());
        let port = front.local_addr().unwrap().port();
        let lost = Arc::new(AtomicUsize::new(0));
        let network = Self { port, lost: Arc::clone(&lost) };
        thread::spawn(move || carry(&front, server, &lost));
        network
    }

    pub(crate) fn uri(&self, path: &str) -> String {
        format!("coap://127.0.0.1:{}{path}", self.port)
    }

    pub(crate) fn lost(&self) -> usize {
        self.lost.load(Ordering::Relaxed)
    }
}

/// Each client is somebody of its own to the server.
fn carry(front: &Arc<UdpSocket>, server: u16, lost: &Arc<AtomicUsize>) {
    let mut clients: HashMap<SocketAddr, Arc<UdpSocket>> = HashMap::new();
    let forth = Loss::new(lost);
    let back = Arc::new(Loss::new(lost));
    let mut buffer = vec![0; 65_535];
    while let Ok((len, client)) = front.recv_from(&mut buffer) {
        let socket = clients.entry(client).or_insert_with(|| {
            let socket = Arc::new(UdpSocket::bind("127.0.0.1:0").unwrap());
            socket.connect(("127.0.0.1", server)).unwrap();
            let (front, from, back) = (Arc::clone(front), Arc::clone(&socket), Arc::clone(&back));
            thread::spawn(move || {
                let mut buffer = vec![0; 65_535];
                while let Ok(len) = from.recv(&mut buffer) {
                    if !back.takes() {
                        _ = front.send_to(&buffer[..len], client);
                    }
                }
            });
            socket
        });
        if !forth.takes() {
            _ = socket.send(&buffer[..len]);
        }
    }
}

struct Loss {
    count: AtomicUsize,
    lost: Arc<AtomicUsize>,
}

impl Loss {
    fn new(lost: &Arc<AtomicUsize>) -> Self {
        Self { count: AtomicUsize::new(0), lost: Arc::clone(lost) }
    }

    fn takes(&self) -> bool {
        let takes = self.count.fetch_add(1, Ordering::Relaxed).is_multiple_of(4);
        self.lost.fetch_add(takes.into(), Ordering::Relaxed);
        takes
    }
}
