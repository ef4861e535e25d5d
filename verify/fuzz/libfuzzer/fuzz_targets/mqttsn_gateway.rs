#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| { fuzz::mqttsn_gateway::gateway(data); });
