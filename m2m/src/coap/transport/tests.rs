use core::future::Future;
use core::net::{IpAddr, SocketAddr};
use core::time::Duration;

use tokio::runtime::Builder;
use tokio::time::timeout;

use super::groups::ALL_COAP_NODES;
use super::*;

fn run(test: impl Future<Output = ()>) {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { timeout(Duration::from_secs(10), test).await.expect("nothing came") });
}

fn at(address: &str) -> SocketAddr {
    address.parse().unwrap()
}

/// Some machines have no IPv6.
fn loopbacks() -> Vec<SocketAddr> {
    let both = [at("127.0.0.1:0"), at("[::1]:0")];
    both.into_iter().filter(|&address| Socket::bind(address).is_ok()).collect()
}

async fn datagram(socket: &Socket, buffer: &mut [u8]) -> Arrival {
    match socket.receive(buffer).await.unwrap() {
        Received::Datagram(arrival) => arrival,
        Received::Unreachable(peer) => panic!("{peer} is unreachable"),
    }
}

#[test]
fn an_arrival_says_from_where_and_to_which_address() {
    run(async {
        for loopback in loopbacks() {
            let wildcard = if loopback.is_ipv4() { at("0.0.0.0:0") } else { at("[::]:0") };
            let (client, server) = (Socket::bind(loopback).unwrap(), Socket::bind(wildcard).unwrap());
            let to = SocketAddr::new(loopback.ip(), server.local_addr().port());
            client.send(b"ping", to, Source::default()).await.unwrap();
            let mut buffer = [0; 16];
            let arrival = datagram(&server, &mut buffer).await;
            assert_eq!((&buffer[..arrival.len], arrival.from), (&b"ping"[..], client.local_addr()));
            assert_eq!(arrival.to, Some(loopback.ip()));
            assert!(!arrival.is_multicast() && arrival.is_verified() && arrival.interface > 0);

            server.send(b"pong", arrival.from, arrival.source()).await.unwrap();
            let answer = datagram(&client, &mut buffer).await;
            assert_eq!((&buffer[..answer.len], answer.from), (&b"pong"[..], to));
        }
    });
}

#[test]
fn an_answer_leaves_from_the_address_that_was_asked() {
    run(async {
        let (client, server) =
            (Socket::bind(at("127.0.0.1:0")).unwrap(), Socket::bind(at("0.0.0.0:0")).unwrap());
        let asked = SocketAddr::new(IpAddr::from([127, 0, 0, 2]), server.local_addr().port());
        client.send(b"ping", asked, Source::default()).await.unwrap();
        let mut buffer = [0; 16];
        let arrival = datagram(&server, &mut buffer).await;
        server.send(b"pong", arrival.from, arrival.source()).await.unwrap();
        assert_eq!(datagram(&client, &mut buffer).await.from, asked);
    });
}

#[test]
fn a_peer_without_a_socket_is_unreachable_and_the_next_datagram_leaves_all_the_same() {
    run(async {
        for loopback in loopbacks() {
            let gone = Socket::bind(loopback).unwrap().local_addr();
            let (socket, other) = (Socket::bind(loopback).unwrap(), Socket::bind(loopback).unwrap());
            let mut buffer = [0; 64];
            for _ in 0..3 {
                socket.send(b"\x40\x01\x00\x01", gone, Source::default()).await.unwrap();
                assert_eq!(socket.receive(&mut buffer).await.unwrap(), Received::Unreachable(gone));
            }
            socket.send(b"\x40\x01\x00\x01", gone, Source::default()).await.unwrap();
            socket.send(b"on its way", other.local_addr(), Source::default()).await.unwrap();
            assert_eq!(datagram(&other, &mut buffer).await.from, socket.local_addr());
        }
    });
}

#[test]
fn many_datagrams_leave_and_come_in_order() {
    run(async {
        for loopback in loopbacks() {
            let wildcard = if loopback.is_ipv4() { at("0.0.0.0:0") } else { at("[::]:0") };
            for address in [loopback, wildcard] {
                let (client, server) = (Socket::bind(loopback).unwrap(), Socket::bind(address).unwrap());
                let to = SocketAddr::new(loopback.ip(), server.local_addr().port());
                let asked = Source { address: Some(loopback.ip()), interface: 0 };
                // Some leave one by one, and one cannot leave at all.
                let datagram = |number: u8| {
                    let source = if number == 33 { asked } else { Source::default() };
                    let len = if number == 7 { MAX_DATAGRAM + 1 } else { usize::from(number) };
                    (to, source, vec![number; len])
                };
                let batch: Vec<_> = (0..100).map(datagram).collect();
                let failed = core::cell::Cell::new(0);
                client.send_many(&batch, |_, _| failed.set(failed.get() + 1)).await;
                assert_eq!(failed.get(), 1, "only what is too long cannot be sent");

                let mut inbox = Inbox::new();
                let (mut came, mut looks) = (Vec::new(), 0);
                while came.len() < 99 {
                    assert_eq!(server.receive_many(&mut inbox).await.unwrap(), None);
                    looks += 1;
                    for (arrival, bytes) in inbox.datagrams() {
                        assert_eq!(arrival.from, client.local_addr());
                        assert_eq!(arrival.to, (address == wildcard).then_some(loopback.ip()));
                        came.push(bytes.to_vec());
                    }
                }
                assert!(
                    came.iter().eq(batch.iter().map(|(.., bytes)| bytes).filter(|bytes| bytes.len() < 100))
                );
                assert_eq!(looks, 4, "as many as there is room for, at a time");
            }
        }
    });
}

#[test]
fn a_peer_without_a_socket_does_not_keep_the_others_waiting() {
    run(async {
        for loopback in loopbacks() {
            let gone = Socket::bind(loopback).unwrap().local_addr();
            let (socket, other) = (Socket::bind(loopback).unwrap(), Socket::bind(loopback).unwrap());
            let to = |address| (address, Source::default(), &b"\x40\x01\x00\x01"[..]);
            let batch = [to(gone), to(other.local_addr()), to(gone), to(gone), to(other.local_addr())];
            socket.send_many(&batch, |peer, problem| panic!("{peer}: {problem}")).await;
            let (mut inbox, mut came) = (Inbox::new(), 0);
            while came < 2 {
                assert_eq!(other.receive_many(&mut inbox).await.unwrap(), None);
                came += inbox.datagrams().count();
            }
            assert_eq!(socket.receive_many(&mut inbox).await.unwrap(), Some(gone));
            // The answers are taken all the same.
            other.send_many(&[to(socket.local_addr()), to(socket.local_addr())], |_, _| ()).await;
            let mut came = 0;
            while came < 2 {
                let news = socket.receive_many(&mut inbox).await.unwrap();
                came += inbox.datagrams().count();
                assert!(news.is_none_or(|peer| peer == gone));
            }
        }
    });
}

#[test]
fn an_error_that_does_not_show_what_was_sent_says_nothing() {
    let mut sent = Sent::default();
    let peer = at("192.0.2.1:5683");
    sent.note(peer, b"\x41\x01\x00\x01t and more than is remembered");
    assert!(sent.contains(peer, b"\x41\x01\x00\x01t and more than"));
    assert!(!sent.contains(peer, b"\x41\x01\x00\x02t and more than"), "another message id");
    assert!(!sent.contains(peer, b"\x41\x01\x00"), "too little of it");
    assert!(!sent.contains(at("192.0.2.1:5684"), b"\x41\x01\x00\x01t and more than"));
    for _ in 0..200 {
        sent.note(peer, b"\x40\x01\x00\x07");
    }
    assert!(!sent.contains(peer, b"\x41\x01\x00\x01t and more than"), "only the last are remembered");
}

#[test]
fn what_is_sent_to_a_group_is_known_as_such() {
    run(async {
        let server = Socket::bind(at("0.0.0.0:0")).unwrap();
        let loopback =
            Interface::all().unwrap().into_iter().find(|interface| interface.address.is_loopback());
        let loopback = loopback.expect("a loopback interface").index;
        assert!(server.join_all_coap_nodes().unwrap() > 0);
        let client = Socket::bind(at("0.0.0.0:0")).unwrap();
        let group = SocketAddr::new(ALL_COAP_NODES[0], server.local_addr().port());
        let source = Source { address: Some(IpAddr::from([127, 0, 0, 1])), interface: loopback };
        client.send(b"who?", group, source).await.unwrap();
        let mut buffer = [0; 16];
        let arrival = datagram(&server, &mut buffer).await;
        assert_eq!(arrival.to, Some(ALL_COAP_NODES[0]));
        assert!(arrival.is_multicast());
        assert_eq!(arrival.source(), Source::default(), "nothing is sent from a group");
        server.send(b"me", arrival.from, arrival.source()).await.unwrap();
        assert_eq!(datagram(&client, &mut buffer).await.from.port(), server.local_addr().port());
    });
}

#[test]
fn all_addresses_means_both_families() {
    run(async {
        let Ok(sockets) = Socket::listen(at("[::]:0")) else { return };
        let port = sockets[0].local_addr().port();
        assert!(sockets.iter().all(|socket| socket.local_addr().port() == port));
        let families: Vec<bool> = sockets.iter().map(|socket| socket.local_addr().is_ipv4()).collect();
        assert_eq!(families, [false, true]);
        assert_eq!(Socket::listen(at("127.0.0.1:0")).unwrap().len(), 1);
    });
}
