//! What an application does: as it should, too late, twice, or wrong.

use coap_codec::{Block, Code, ContentFormat, Message, OptionNumber, Rules};
use coap_core::{Bodies, Handle, Refused, Reliability, Request, Resource, Response, Token};

use super::config::seconds;
use super::host::{Course, Host};
use super::ledger::{Cause, GROUP};
use super::messages::{METHODS, PATHS};
use crate::Source;

/// The resources of an endpoint in the beginning.
pub(super) fn resources() -> [Resource; 3] {
    let all = &METHODS[2..];
    [
        Resource::new("a").methods(all).observable().resource_type("x"),
        Resource::new("b").observable().content_format(ContentFormat::TEXT_PLAIN),
        Resource::new("tree")
            .subtree()
            .methods(all)
            .bodies(Bodies::Blocks)
            .understands(OptionNumber::IF_MATCH),
    ]
}

/// A request of this endpoint, to one or to a group; or a ping.
pub(super) fn ask(host: &mut Host, source: &mut Source<'_>) {
    let to = source.below(4) as u8;
    match source.below(10) {
        0 => match host.endpoint.ping(to, host.now) {
            Ok(handle) => host.began(handle, Course::Ping),
            Err(refused) => assert!(matches!(refused, Refused::Full | Refused::NoMessageId), "{refused}"),
        },
        1 => {
            let request = Request { payload: "x".repeat(source.mostly(&[0, 3])).into(), ..request(source) };
            match host.endpoint.request_group(GROUP, request, host.now) {
                Ok(handle) => host.began(handle, Course::Several),
                Err(refused) => assert_ne!(refused, Refused::WrongCode),
            }
        }
        2 => {
            let refused = host.endpoint.request(to, Request::new(Code::CONTENT), host.now);
            assert_eq!(refused, Err(Refused::WrongCode));
        }
        _ => {
            let request = request(source);
            let observes = matches!(request.method, Code::GET | Code::FETCH)
                && request.options.view().observe() == Some(0);
            host.request(to, request, if observes { Course::Several } else { Course::Single });
        }
    }
}

fn request(source: &mut Source<'_>) -> Request {
    let mut request = Request::new(source.pick(&METHODS)).path(source.pick(&PATHS));
    request.payload = "x".repeat(source.mostly(&[0, 10, 100, 150, 2500])).into();
    if source.once_in(3) {
        request = request.observe();
    }
    if source.once_in(3) {
        request.reliability = Reliability::NonConfirmable;
    }
    if source.once_in(6) {
        request.bodies = Bodies::Blocks;
    }
    if source.once_in(6) {
        request.block_size_exponent = Some(source.mostly(&[0, 1, 7]));
    }
    if source.once_in(6) {
        request.timeout = Some(seconds(source.mostly(&[5, 0])));
    }
    if source.once_in(6) {
        request.token = Some(Token::new(source.pick(&[b"", b"t", b"u"])));
    }
    match source.below(20) {
        0 => request.with(OptionNumber::ETAG, b"e"),
        1 => request.with(OptionNumber::IF_NONE_MATCH, b""),
        2 => request.with(OptionNumber::ECHO, b"a guess!"),
        3 => request.with_uint(OptionNumber::NO_RESPONSE, source.pick(&[2, 26])),
        4 => request.with(OptionNumber::URI_QUERY, &[b'q'; 300][..source.pick(&[30, 255, 256])]),
        5 => {
            let block = Block::new(source.below(3) as u32, false, 0).expect("in range");
            request.with(OptionNumber::BLOCK2, &block.value())
        }
        6 => request.with(OptionNumber::PROXY_URI, b"coap://elsewhere"),
        _ => request,
    }
}

/// The application answers: one of the open requests, or one that is not open any more.
pub(super) fn answer(host: &mut Host, source: &mut Source<'_>) {
    let response = response(source);
    let number = usize::from(source.byte());
    if source.once_in(16)
        && let Some(&old) = host.old_questions.get(number % host.old_questions.len().max(1))
    {
        assert_eq!(host.endpoint.respond(old, response, host.now), Err(Refused::Unknown));
    } else if let Some(question) = host.questions.get(number % host.questions.len().max(1)) {
        let id = question.id;
        if source.once_in(16) {
            let wrong = host.endpoint.respond(id, Response::new(Code::GET), host.now);
            assert_eq!(wrong, Err(Refused::WrongCode));
        }
        match host.endpoint.respond(id, response, host.now) {
            Ok(()) => host.settled(id),
            Err(refused) => {
                assert!(
                    matches!(refused, Refused::Full | Refused::NoMessageId | Refused::TooLarge),
                    "{refused}"
                );
            }
        }
    }
    host.settle(Cause::Other);
}

fn response(source: &mut Source<'_>) -> Response {
    let codes = [Code::CONTENT, Code::CHANGED, Code::VALID, Code::NOT_FOUND, Code::INTERNAL_SERVER_ERROR];
    let mut response = Response::new(source.mostly(&codes));
    response.payload = "y".repeat(source.mostly(&[5, 0, 60, 150, 1500, 2500])).into();
    if source.once_in(4) {
        let reliability = [Reliability::Confirmable, Reliability::NonConfirmable];
        response.reliability = Some(source.pick(&reliability));
    }
    match source.below(16) {
        0 | 1 => response.with(OptionNumber::ETAG, source.pick(&[b"e", b"f"])),
        2 => response.with_uint(OptionNumber::CONTENT_FORMAT, source.pick(&[0, 50])),
        3 => response.with_uint(OptionNumber::MAX_AGE, source.pick(&[0, 2])),
        4 => response.with(OptionNumber::LOCATION_QUERY, &[b'l'; 100]),
        5 => {
            let block = Block::new(source.below(3) as u32, source.once_in(2), 0).expect("in range");
            response.with(OptionNumber::BLOCK2, &block.value())
        }
        _ => response,
    }
}

/// Something changes about a resource, or about which there are.
pub(super) fn change(host: &mut Host, source: &mut Source<'_>) {
    let number = source.below(4);
    let resource = host.resources.get(number % host.resources.len().max(1)).copied();
    match (source.below(16), resource) {
        (0, Some(resource)) => {
            host.resources.retain(|other| *other != resource);
            host.gone.insert(resource);
            host.endpoint.remove_resource(resource, host.now);
        }
        (1, _) => {
            if let Some(&gone) = host.gone.first() {
                host.endpoint.changed(gone, host.now);
                host.endpoint.remove_resource(gone, host.now);
            }
        }
        (2..=4, _) => {
            for resource in resources() {
                host.resources.extend(host.endpoint.add_resource(resource));
            }
        }
        (_, Some(resource)) => host.endpoint.changed(resource, host.now),
        (_, None) => {}
    }
    host.settle(Cause::Other);
}

/// A request is not wanted any more; or one that has ended is cancelled again.
pub(super) fn end(host: &mut Host, source: &mut Source<'_>) {
    let number = usize::from(source.byte());
    let open: Option<(Handle, Course)> =
        host.open.iter().nth(number % host.open.len().max(1)).map(|(handle, course)| (*handle, *course));
    match (source.below(4), open, host.ended.get(number)) {
        (0, Some((handle, _)), _) => host.endpoint.cancel(handle, host.now),
        (1 | 2, Some((handle, course)), _) => {
            let asked = host.endpoint.deregister(handle, host.now);
            assert!(asked == Ok(()) && course == Course::Several || asked == Err(Refused::Unknown));
        }
        (_, _, Some(&handle)) => {
            host.endpoint.cancel(handle, host.now);
            assert_eq!(host.endpoint.deregister(handle, host.now), Err(Refused::Unknown));
        }
        _ => {}
    }
    host.settle(Cause::Other);
}

/// The Echo value in a datagram.
pub(super) fn echo_in(datagram: &[u8]) -> Option<Vec<u8>> {
    let message = Message::decode(datagram, &Rules { max_token_len: 65_804 }).ok()?;
    message.options.echo().filter(|_| message.code.is_response()).map(<[u8]>::to_vec)
}
