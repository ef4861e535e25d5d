//! Gateways and brokers that go and come back.

use crate::tool::{Program, Reader, publish, publish_at_broker};

fn broker_at(port: &str) -> Program {
    Program::start(&["broker", "--listen", &format!("tcp://127.0.0.1:{port}")], 1)
}

#[test]
fn the_broker_goes_and_comes_back() {
    for mode in ["transparent", "aggregating"] {
        let broker = Program::broker();
        let port = broker.port();
        let mut gateway = Program::gateway(&port, &["--mode", mode]);
        let mut reader = Reader::sn("sub", &gateway.port(), &["-t", "on/#", "-q", "1", "-C", "2", "-v"]);
        publish(&gateway.port(), &["-t", "on/air", "-q", "1", "-m", "before"]);
        reader.expect(&["on/air: before"]);
        assert_eq!(broker.stop().code(), Some(0));
        gateway.wait_for_log("no connection to the broker");
        let _broker = broker_at(&port);
        gateway.wait_for_log("connected to the broker");
        // The broker has forgotten everything; the subscription is made again, by the gateway or by the client.
        publish_retained(&port);
        reader.expect(&["on/air: after"]);
        reader.expect_end();
    }
}

#[test]
fn another_broker_takes_over() {
    let (first, second) = (Program::broker(), Program::broker());
    let brokers = [&first, &second].map(|broker| format!("mqtt://127.0.0.1:{}", broker.port()));
    let [one, two] = &brokers;
    let own = ["gateway", "--broker", one, "--broker", two, "--listen", "udp://127.0.0.1:0"];
    let mut gateway = Program::start(&own, 1);
    gateway.wait_for_log("connected to the broker");
    let watcher = Reader::m2m(&second.port());
    first.stop();
    gateway.wait_for_log(&format!("{two} is used from now on"));
    gateway.wait_for_log("connected to the broker");
    publish(&gateway.port(), &["-t", "moved", "-q", "1", "-m", "here"]);
    watcher.expect(&["moved 1 here"]);
}

#[test]
fn the_gateway_goes_and_comes_back() {
    let broker = Program::broker();
    let gateway = Program::gateway(&broker.port(), &[]);
    let port = gateway.port();
    let arguments = ["-t", "on/#", "-q", "1", "-C", "1", "-v", "--retry", "0.5"];
    let mut reader = Reader::sn("sub", &port, &arguments);
    // It takes leave, so that the client comes back as soon as there is somebody.
    assert_eq!(gateway.stop().code(), Some(0));
    let to = format!("mqtt://127.0.0.1:{}", broker.port());
    let listen = format!("udp://127.0.0.1:{port}");
    let mut gateway = Program::start(&["gateway", "-v", "--broker", &to, "--listen", &listen], 1);
    gateway.wait_for_log("DEBUG connected client_id=");
    publish_retained(&broker.port());
    reader.expect(&["on/air: after"]);
    reader.expect_end();
}

/// The client may subscribe before or after it.
fn publish_retained(broker: &str) {
    publish_at_broker(broker, &["-t", "on/air", "-q", "1", "-r", "-m", "after"]);
}

/// A gateway that ends in order lets no will out, and tells its clients.
#[test]
fn a_gateway_that_ends_publishes_no_will() {
    let broker = Program::broker();
    let watcher = Reader::m2m(&broker.port());
    for mode in ["transparent", "aggregating"] {
        let gateway = Program::gateway(&broker.port(), &["--mode", mode]);
        let will = ["--will-topic", "will", "--will-payload", "gone"];
        let _reader = Reader::sn("sub", &gateway.port(), &[&["-t", "abc"][..], &will].concat());
        assert_eq!(gateway.stop().code(), Some(0));
        publish_at_broker(&broker.port(), &["-t", "after", "-q", "1", "-m", mode]);
        watcher.expect(&[&format!("after 1 {mode}")]);
    }
}
