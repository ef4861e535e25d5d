//! The test descriptions of the CoAP plugtests (ETSI and IETF, `TD_COAP_…`) as tests of our client against our
//! server, over the simulated network. Each test has the name of its description and checks on the wire what that one says; the
//! resources are those of `m2m coap serve --demo`.

// The demo is the host's, and has more than is asked for here.
#[allow(dead_code)]
#[path = "../../../../m2m/src/coap/serve/demo/mod.rs"]
mod demo;

mod block;
mod core;
mod link;
mod obs;
mod table;
