use coap_codec::{Code, OptionNumber};
use coap_core::{
    Action, Config, Endpoint, Handle, Input, Request, RequestId, Resource, ResourceId, Response,
};
use machine::Instant;

/// A sensor that is observed and sends reports of its own, with bodies in blocks both ways: one turn of its loop.
#[unsafe(no_mangle)]
pub fn no_std_coap_core(config: Config, seed: [u8; 32]) -> (Endpoint<u16>, Option<ResourceId>) {
    let mut endpoint = Endpoint::new(config, seed);
    let sensor = endpoint.add_resource(Resource::new("sensor").methods(&[Code::GET, Code::PUT]).observable());
    (endpoint, sensor.ok())
}

#[unsafe(no_mangle)]
pub fn no_std_coap_core_turn(
    endpoint: &mut Endpoint<u16>,
    input: Input<'_, u16>,
    now: Instant,
) -> Option<Action<u16>> {
    endpoint.handle(input, now);
    endpoint.poll_action()
}

#[unsafe(no_mangle)]
pub fn no_std_coap_core_deadline(endpoint: &Endpoint<u16>) -> Option<Instant> {
    endpoint.next_deadline()
}

#[unsafe(no_mangle)]
pub fn no_std_coap_core_report(
    endpoint: &mut Endpoint<u16>,
    to: u16,
    report: &'static [u8],
    now: Instant,
) -> Option<Handle> {
    endpoint.request(to, Request::new(Code::POST).path("reports").payload(report), now).ok()
}

#[unsafe(no_mangle)]
pub fn no_std_coap_core_observe(endpoint: &mut Endpoint<u16>, of: u16, now: Instant) -> Option<Handle> {
    endpoint.request(of, Request::new(Code::GET).path("switch").observe(), now).ok()
}

#[unsafe(no_mangle)]
pub fn no_std_coap_core_end(endpoint: &mut Endpoint<u16>, handle: Handle, now: Instant) -> bool {
    endpoint.deregister(handle, now).is_ok()
}

#[unsafe(no_mangle)]
pub fn no_std_coap_core_changed(endpoint: &mut Endpoint<u16>, sensor: ResourceId, now: Instant) {
    endpoint.changed(sensor, now);
}

#[unsafe(no_mangle)]
pub fn no_std_coap_core_respond(
    endpoint: &mut Endpoint<u16>,
    id: RequestId,
    state: &'static [u8],
    now: Instant,
) -> bool {
    let response = Response::new(Code::CONTENT).with_uint(OptionNumber::CONTENT_FORMAT, 0).payload(state);
    endpoint.respond(id, response, now).is_ok()
}
