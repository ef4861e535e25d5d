//! Bodies in blocks, as a client sends and fetches them (RFC 7959).

use coap_codec::{Message, OptionNumber};

use super::Client;
use super::exchange::{Exchange, Kind};
use super::observation::Observation;
use super::tokens::fresh_token;
use crate::block::{Download, DownloadStep, Start};
use crate::context::Context;
use crate::message::Peer;
use crate::{Action, Failure, Handle, Reliability};

/// How often a request with a body in blocks is made again because the response changed while it was fetched.
const ATTEMPTS: u8 = 3;

impl<P: Peer> Client<P> {
    /// A response that is the last one, once its body is whole.
    pub(super) fn respond_whole(&mut self, key: usize, message: &Message<'_>, cx: &mut Context<'_, P>) {
        let exchange = &mut self.exchanges[key];
        match exchange.begin_download(message, cx.config) {
            Start::Whole => {
                let response = exchange.response(message);
                self.finish(key, response, cx);
            }
            Start::Blocks(download) => {
                exchange.start_download(download, message);
                self.report_download(key, cx);
                self.next_block(key, cx);
            }
            Start::Failed(failure) => self.end(key, failure, cx),
        }
    }

    pub(super) fn continue_download(&mut self, key: usize, message: &Message<'_>, cx: &mut Context<'_, P>) {
        let exchange = &mut self.exchanges[key];
        let Some(download) = &mut exchange.download else { return };
        match download.answered(message.code, message.options, message.payload) {
            DownloadStep::Continue => {
                exchange.keep_first(message);
                self.report_download(key, cx);
                self.next_block(key, cx);
            }
            DownloadStep::Restart if exchange.uploaded => self.ask_again(key, cx),
            DownloadStep::Restart => {
                exchange.forget_first();
                self.next_block(key, cx);
            }
            DownloadStep::Complete(body) => {
                let response = exchange.downloaded(message, body);
                self.finish(key, response, cx);
            }
            DownloadStep::Answer => {
                cx.counters.bodies_abandoned += 1;
                let response = exchange.response(message);
                self.finish(key, response, cx);
            }
            DownloadStep::Failed(failure) => {
                cx.counters.bodies_abandoned += 1;
                self.end(key, failure, cx);
            }
        }
    }

    /// The representation has changed, and the body that says what is asked for has to be sent once more.
    fn ask_again(&mut self, key: usize, cx: &mut Context<'_, P>) {
        let exchange = &mut self.exchanges[key];
        if exchange.asked_again >= ATTEMPTS {
            cx.counters.bodies_abandoned += 1;
            return self.end(key, Failure::Changing, cx);
        }
        exchange.asked_again += 1;
        exchange.forget_first();
        exchange.download = None;
        exchange.begin_again(cx.config);
        self.tell_apart(key, cx);
        self.next_message(key, cx);
    }

    /// Asks for the next block of the response. With a new token a late answer about an earlier block belongs to nothing; but where
    /// the first request has changed something, servers are about (CoAPthon3, node-coap) that know by the token that it is not to
    /// be done again.
    pub(super) fn next_block(&mut self, key: usize, cx: &mut Context<'_, P>) {
        let exchange = &mut self.exchanges[key];
        if exchange.download.as_deref().is_none_or(Download::is_safe) {
            let token = fresh_token(key, cx.random);
            self.forget_token(key);
            self.exchanges[key].token = token;
            self.enter_token(key);
        }
        self.next_message(key, cx);
    }

    pub(super) fn report_upload(&self, key: usize, cx: &mut Context<'_, P>) {
        let exchange = &self.exchanges[key];
        if let Some(upload) = &exchange.upload {
            let ((bytes, total), handle) = (upload.progress(), exchange.reported_as());
            cx.actions.push_back(Action::Progress { handle, bytes, total: Some(total), upload: true });
        }
    }

    pub(super) fn report_download(&self, key: usize, cx: &mut Context<'_, P>) {
        let exchange = &self.exchanges[key];
        if let Some(download) = &exchange.download {
            let ((bytes, total), handle) = (download.progress(), exchange.reported_as());
            let total = total.map(|total| total as usize);
            cx.actions.push_back(Action::Progress { handle, bytes, total, upload: false });
        }
    }

    /// When the message is the first block of a larger body, fetches the rest from its sender in an exchange beside this one: with
    /// a token of its own, without Observe, unicast (RFC 7959 §2.6, §2.8). Returns whether it does.
    pub(super) fn transfer_rest(
        &mut self,
        key: usize,
        from: P,
        message: &Message<'_>,
        cx: &mut Context<'_, P>,
    ) -> bool {
        let exchange = &self.exchanges[key];
        let download = match exchange.begin_download(message, cx.config) {
            Start::Whole => return false,
            Start::Blocks(download) => download,
            Start::Failed(failure) => {
                let parent = exchange.handle;
                cx.counters.bodies_abandoned += 1;
                self.transfer_failed(parent, failure, cx);
                return true;
            }
        };
        let mut request = exchange.request.clone();
        request.options.remove(OptionNumber::OBSERVE);
        request.token = None;
        if exchange.kind == Kind::Group {
            request.reliability = Reliability::Confirmable;
        }
        let (parent, uploaded, request_tag) = (exchange.handle, exchange.uploaded, exchange.request_tag);
        match self.open(from, request, Kind::Transfer { parent }, cx) {
            Ok(transfer) => {
                let exchange = &mut self.exchanges[transfer];
                exchange.uploaded = uploaded;
                exchange.request_tag = request_tag;
                exchange.start_download(download, message);
                self.exchanges[key].transfer = Some(self.exchanges[transfer].handle);
                self.report_download(transfer, cx);
                self.next_message(transfer, cx);
            }
            Err(refused) => {
                cx.counters.bodies_abandoned += 1;
                self.transfer_failed(parent, Failure::Refused(refused), cx);
            }
        }
        true
    }

    /// The body of a notification did not come whole: the state is asked for again by registering anew, after a while. Where that
    /// would fare no better, or is not wanted, the observation ends. (Of a group, one member's response is missing.)
    pub(super) fn transfer_failed(&mut self, parent: Handle, failure: Failure, cx: &mut Context<'_, P>) {
        let Some(key) = self.find(parent) else { return };
        if !matches!(self.exchanges[key].kind, Kind::Observation(_)) {
            return;
        }
        let hopeless = matches!(failure, Failure::BodyTooLarge | Failure::BlockMismatch | Failure::BadOption);
        if hopeless || !cx.config.reregister {
            return self.end(key, failure, cx);
        }
        let again = Observation::stale_after(Some(0), cx.random);
        self.timers.set(key as u32, cx.now + again);
    }

    /// Gives up fetching the rest of a notification.
    pub(super) fn end_transfer(&mut self, key: usize, cx: &mut Context<'_, P>) {
        let transfer = self.exchanges[key].transfer.take().and_then(|handle| self.at(handle));
        if let Some(transfer) = transfer {
            cx.counters.bodies_abandoned += 1;
            self.close(transfer, cx);
        }
    }

    /// Gives up fetching bodies of members of a group.
    pub(super) fn end_transfers_of(&mut self, parent: Handle, cx: &mut Context<'_, P>) {
        let of_parent = |(key, exchange): (usize, &Exchange<P>)| {
            (exchange.kind == Kind::Transfer { parent }).then_some(key)
        };
        while let Some(key) = self.exchanges.iter().find_map(of_parent) {
            cx.counters.bodies_abandoned += 1;
            self.close(key, cx);
        }
    }
}
