//! The examples run: the blocking client against the blocking server over real sockets, through a wire that loses datagrams.
#![allow(dead_code, reason = "an example's main is not called here")]

use core::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use coap_codec::Code;
use coap_core::{Action, Config, Endpoint, Request, Resource, Transmission};

#[path = "../examples/blocking_client.rs"]
mod blocking_client;
#[path = "../examples/blocking_server.rs"]
mod blocking_server;

/// A driver that takes more says that the interface is wrong.
#[test]
fn a_driver_fits_sixty_lines() {
    for source in
        [include_str!("../examples/blocking_client.rs"), include_str!("../examples/blocking_server.rs")]
    {
        let code = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with("//");
        assert!(source.lines().filter(code).count() <= 60);
    }
}

/// Slow by its nature: what is lost is sent again after two to three seconds.
#[test]
fn the_examples_talk_to_each_other_over_a_lossy_wire() {
    let local = || UdpSocket::bind("127.0.0.1:0").unwrap();
    let (server, client, wire) = (local(), local(), local());
    let address = |socket: &UdpSocket| socket.local_addr().unwrap();
    let (to_server, to_client, between) = (address(&server), address(&client), address(&wire));
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let config = Config { transmission: Transmission::default(), ..Config::default() };
            let mut endpoint = Endpoint::<SocketAddr>::new(config, [3; 32]);
            endpoint.add_resource(Resource::new("hello").methods(&[Code::GET, Code::PUT])).unwrap();
            blocking_server::serve(&server, &mut endpoint, || !done.load(Relaxed)).unwrap();
        });
        scope.spawn(|| carry(&wire, to_server, to_client, &done));
        let body = vec![b'x'; 3000];
        let put = Request::new(Code::PUT).path("hello").payload(body.clone());
        let outcome = blocking_client::request(&client, between, put, [4; 32]).unwrap();
        assert!(matches!(outcome, Action::Response { response, .. } if response.code == Code::CHANGED));
        let get = Request::new(Code::GET).path("hello");
        let outcome = blocking_client::request(&client, between, get, [5; 32]).unwrap();
        assert!(matches!(outcome, Action::Response { response, .. } if response.payload == body));
        done.store(true, Relaxed);
    });
}

/// Passes datagrams on, but for the third of each five.
fn carry(wire: &UdpSocket, server: SocketAddr, client: SocketAddr, done: &AtomicBool) {
    wire.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    let (mut buffer, mut count) = ([0; 2048], 0);
    while !done.load(Relaxed) {
        let Ok((len, from)) = wire.recv_from(&mut buffer) else { continue };
        count += 1;
        if count % 5 != 3 {
            let to = if from == server { client } else { server };
            wire.send_to(&buffer[..len], to).unwrap();
        }
    }
}
