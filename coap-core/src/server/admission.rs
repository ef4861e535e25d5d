//! What can be decided about a request without the application.

use bytes::Bytes;
use coap_codec::{Block, Code, Message, OptionNumber, Options};

use super::asker::Asker;
use super::response::is_safe;
use super::{Open, Role, Server};
use crate::block::{Assembled, BlockOptions, Piece, blocks_of};
use crate::cache_key::operation_key;
use crate::context::Context;
use crate::message::Peer;
use crate::policy::{self, Present, Rejection};
use crate::resource::is_well_known_core;
use crate::{Bodies, NonBadOption, OptionList, Resource, Response};

/// The options of [`BlockOptions`].
const BLOCKS: Present = Present::listed(&[OptionNumber::BLOCK1, OptionNumber::BLOCK2, OptionNumber::SIZE2]);

const OBSERVE: Present = Present::listed(&[OptionNumber::OBSERVE]);

/// What the application does not see.
const HIDDEN: Present =
    Present::listed(&[OptionNumber::BLOCK1, OptionNumber::BLOCK2, OptionNumber::ECHO, OptionNumber::OBSERVE]);

/// How a request ends that the application does not see.
pub(super) enum Ending {
    Answer(Piece),
    Silence,
}

impl From<Response> for Ending {
    fn from(response: Response) -> Self {
        let Response { code, options, payload, .. } = response;
        Self::Answer(Piece { code, options, payload })
    }
}

impl<P: Peer> Server<P> {
    /// Everything that can be decided without the application.
    pub(super) fn admit(
        &mut self,
        asker: &Asker<P>,
        message: &Message<'_>,
        present: Present,
        cx: &mut Context<'_, P>,
    ) -> Result<Open<P>, Ending> {
        let options = message.options;
        let mut has_dots = false;
        let path = options.uri_path().inspect(|segment| has_dots |= policy::is_dot_segment(segment));
        let at_path = self.resources.walk(path);
        let is_list = at_path.exact.is_none() && is_well_known_core(options.uri_path());
        // The list of resources belongs to no subtree.
        let found = at_path.exact.or(at_path.above.filter(|_| !is_list));
        let resource = found.and_then(|id| self.resources.get(id));
        let knows = |number| resource.is_some_and(|resource| resource.knows(number));
        let checked = policy::check_request(options, present, knows).and(if has_dots {
            Err(Rejection::DotSegment)
        } else {
            Ok(())
        });
        checked.map_err(|rejection| rejected(rejection, asker, cx))?;
        let blocks = if present.meets(BLOCKS) {
            blocks_of(options, message.payload).map_err(|why| refusal(Code::BAD_REQUEST, why))?
        } else {
            BlockOptions::default()
        };

        if resource.is_none() && !is_list {
            return Err(refusal(Code::NOT_FOUND, ""));
        }
        if !resource.map_or(message.code == Code::GET, |resource| resource.allows(message.code)) {
            return Err(refusal(Code::METHOD_NOT_ALLOWED, ""));
        }
        let bodies = resource.map_or(Bodies::Whole, Resource::takes);
        let observable = resource.is_some_and(Resource::is_observable);
        if let (Bodies::Whole, Some(block)) = (bodies, blocks.block2.filter(|block| block.num() > 0)) {
            self.further_block(asker, message, &blocks, block, cx)?;
        }
        let mut open = Open {
            role: Role::Answer(asker.clone()),
            resource: found,
            changes: found.map_or(0, |id| self.resources.changes(id)),
            method: message.code,
            options: OptionList::from(options),
            payload: Bytes::new(),
            blocks,
            block1: None,
            bodies,
        };
        if bodies == Bodies::Whole {
            self.assemble(asker, message, &mut open, cx)?;
        } else {
            open.payload = Bytes::copy_from_slice(message.payload);
        }
        if present.meets(HIDDEN) {
            open.options.retain(|number| match number {
                OptionNumber::ECHO | OptionNumber::OBSERVE => false,
                OptionNumber::BLOCK1 | OptionNumber::BLOCK2 => bodies == Bodies::Blocks,
                _ => true,
            });
        }
        if present.meets(OBSERVE) {
            self.registration(asker, options.observe(), &mut open, observable, cx);
        }
        Ok(open)
    }

    /// A further block of a response. Where the response is not kept, GET and FETCH are carried out again (RFC 7959 §2.4: a server
    /// need not keep state); all else is not.
    fn further_block(
        &mut self,
        asker: &Asker<P>,
        message: &Message<'_>,
        blocks: &BlockOptions,
        block: Block,
        cx: &mut Context<'_, P>,
    ) -> Result<(), Ending> {
        let key = operation_key(message.code, message.options);
        let room = self.room(asker, Options::EMPTY, cx);
        if let Some(piece) = self.bodies.further(asker.from, &key, blocks, room, cx.now) {
            return Err(Ending::Answer(piece));
        }
        // The body of a FETCH that came in blocks is gone with the response.
        let again = is_safe(message.code) && (message.code != Code::FETCH || !message.payload.is_empty());
        if again || blocks.block1.is_some() {
            return Ok(());
        }
        let mut response =
            Response::new(Code::REQUEST_ENTITY_INCOMPLETE).payload("the response is not kept any more");
        response.options.set(OptionNumber::BLOCK2, &block.value());
        Err(response.into())
    }

    /// The request's body, once it is whole (RFC 7959 §2.5, §2.9).
    fn assemble(
        &mut self,
        asker: &Asker<P>,
        message: &Message<'_>,
        open: &mut Open<P>,
        cx: &mut Context<'_, P>,
    ) -> Result<(), Ending> {
        let Some(block1) = open.blocks.block1 else {
            if let Some(size1) = self.assemblies.refuses(message.payload) {
                let response = Response::new(Code::REQUEST_ENTITY_TOO_LARGE);
                return Err(response.with_uint(OptionNumber::SIZE1, size1.into()).into());
            }
            open.payload = Bytes::copy_from_slice(message.payload);
            return Ok(());
        };
        let key = operation_key(message.code, message.options);
        let assembled = self.assemblies.receive(
            asker.from,
            &key,
            block1,
            message.options,
            message.payload,
            cx.counters,
            cx.now,
        );
        let with_block =
            |code: Code, block: Block| Response::new(code).with(OptionNumber::BLOCK1, &block.value());
        match assembled {
            Assembled::Whole { body, block, if_none_match } => {
                if if_none_match {
                    open.options.set(OptionNumber::IF_NONE_MATCH, &[]);
                }
                open.options.remove(OptionNumber::SIZE1);
                open.payload = body.into();
                open.block1 = Some(block);
                Ok(())
            }
            Assembled::Continue(block) => Err(with_block(Code::CONTINUE, block).into()),
            Assembled::Incomplete(block) => Err(with_block(Code::REQUEST_ENTITY_INCOMPLETE, block).into()),
            Assembled::TooLarge { block, size1 } => {
                let response = with_block(Code::REQUEST_ENTITY_TOO_LARGE, block);
                Err(response.with_uint(OptionNumber::SIZE1, size1.into()).into())
            }
            Assembled::Busy { block, max_age } => {
                let response = with_block(Code::SERVICE_UNAVAILABLE, block);
                Err(response.with_uint(OptionNumber::MAX_AGE, max_age.into()).into())
            }
            Assembled::Bad(why) => Err(refusal(Code::BAD_REQUEST, why)),
        }
    }

    /// What Observe asks for (RFC 7641 §2): 0 registers, 1 deregisters, all else is as if absent. So is Observe with a method or a
    /// resource that cannot be observed, in a request for a further block, and where there is no room for one more observer.
    fn registration(
        &mut self,
        asker: &Asker<P>,
        observe: Option<u32>,
        open: &mut Open<P>,
        observable: bool,
        cx: &mut Context<'_, P>,
    ) {
        let of_first = open.blocks.block2.is_none_or(|block| block.num() == 0);
        if !is_safe(open.method) || !of_first || asker.multicast {
            return;
        }
        let known = self.observers.find(asker.from, &asker.token);
        match (observe, known) {
            (Some(1), Some(observer)) => self.end_observation(observer, cx),
            (Some(0), _)
                if observable && self.observers.admits(asker.from, &asker.token, &cx.config.limits) =>
            {
                open.role = Role::Registration(asker.clone());
            }
            _ => {}
        }
    }
}

/// An error with a diagnostic payload, perhaps empty.
#[cold]
fn refusal(code: Code, why: &'static str) -> Ending {
    Response::new(code).payload(why).into()
}

/// A critical option that is not understood in a non-confirmable request may be met with silence.
#[cold]
fn rejected<P: Peer>(rejection: Rejection, asker: &Asker<P>, cx: &mut Context<'_, P>) -> Ending {
    let about_option = matches!(rejection, Rejection::Option(_) | Rejection::ReservedLocation(_));
    if about_option && !asker.confirmable && cx.config.non_bad_option == NonBadOption::Silence {
        cx.counters.rejected += 1;
        return Ending::Silence;
    }
    Response::new(rejection.code()).payload(rejection.words()).into()
}
