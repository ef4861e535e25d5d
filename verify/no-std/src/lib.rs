//! A firmware in miniature: links each protocol crate without std and calls what a firmware would call, so that a
//! crate that reaches for std fails to build (two panic handlers) and the size of what remains means something.
//!
//! Each module exports functions under fixed names, so that the linker keeps them; nothing here is meant to run.
#![no_std]

#[cfg(feature = "alloc")]
mod allocator;
#[cfg(feature = "coap-codec")]
mod coap_codec;
#[cfg(feature = "coap-core")]
mod coap_core;
#[cfg(feature = "machine")]
mod machine;
#[cfg(feature = "mqtt-client")]
mod mqtt_client;
#[cfg(feature = "mqtt-codec")]
mod mqtt_codec;
#[cfg(feature = "mqtt-codec-bytes")]
mod mqtt_codec_bytes;
#[cfg(feature = "mqtt-core")]
mod mqtt_core;
#[cfg(feature = "mqttsn-client")]
mod mqttsn_client;
#[cfg(feature = "mqttsn-codec")]
mod mqttsn_codec;
#[cfg(feature = "mqttsn-gateway")]
mod mqttsn_gateway;
#[cfg(feature = "topic-index")]
mod topic_index;
#[cfg(feature = "topic-match")]
mod topic_match;

/// Turned on to see that the gate shuts: this build must fail.
#[cfg(feature = "std")]
extern crate std;

use core::panic::PanicInfo;

#[panic_handler]
fn halt(_: &PanicInfo<'_>) -> ! {
    loop {
        core::hint::spin_loop();
    }
}
