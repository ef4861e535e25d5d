//! Questions to the host, and what its answers set in motion.

use alloc::boxed::Box;

use machine::Instant;
use mqtt_codec::ReasonCode;

use super::Broker;
use super::connection::{DeliveryCheck, Waiting};
use super::receive::Stop;
use crate::action::{Action, CloseReason, Question};
use crate::input::{Answer, QuestionId};

impl Broker {
    /// Asks something that a connection's packets have to wait for.
    pub(super) fn ask(&mut self, index: usize, waiting: Waiting, about: Question) {
        let question = self.next_question(index);
        let connection = &mut self.connections[index];
        connection.waiting = Some(Box::new(waiting));
        connection.waiting_question = question.serial;
        self.actions.push_back(Action::Ask { question, connection: connection.id, about });
    }

    /// Asks whether the head of a session's queue may be delivered.
    pub(super) fn ask_delivery(&mut self, index: usize, serial: u64, about: Question) {
        let question = self.next_question(index);
        let connection = &mut self.connections[index];
        connection.delivery = DeliveryCheck::Asked { question: question.serial, serial };
        self.actions.push_back(Action::Ask { question, connection: connection.id, about });
    }

    fn next_question(&mut self, index: usize) -> QuestionId {
        let connection = &mut self.connections[index];
        connection.last_question = connection.last_question.wrapping_add(1);
        QuestionId { connection: connection.id, serial: connection.last_question }
    }

    pub(super) fn answered(&mut self, question: QuestionId, answer: Answer, now: Instant) {
        let Some(index) = self.find(question.connection) else { return };
        let connection = &mut self.connections[index];
        if let DeliveryCheck::Asked { question: asked, serial } = connection.delivery
            && asked == question.serial
        {
            return self.delivery_decided(index, serial, &answer, now);
        }
        if !connection.is_waiting() || connection.waiting_question != question.serial {
            return;
        }
        let Some(waiting) = connection.waiting.take() else { return };
        if let Err(Stop::Violation(violation)) = self.decided(index, *waiting, answer, now) {
            _ = self.violation(index, violation, now);
        }
        self.resume(index);
    }

    /// Lets a connection's bytes flow again, if they were held up and need not be any longer.
    pub(super) fn resume(&mut self, index: usize) {
        let connection = &mut self.connections[index];
        if connection.held_up && !connection.is_blocked(self.config.output_high_water) {
            connection.held_up = false;
            self.actions.push_back(Action::Resume(connection.id));
        }
    }

    fn decided(&mut self, index: usize, waiting: Waiting, answer: Answer, now: Instant) -> Result<(), Stop> {
        match waiting {
            Waiting::Connect(pending) => match answer {
                Answer::Admit(admission) => self.admit(index, &pending, &admission, now),
                Answer::Continue(data) => self.continue_connect(index, pending, &data, now),
                Answer::Deny(reason) => self.refuse(index, reason),
                Answer::Allow => self.refuse(index, ReasonCode::NOT_AUTHORIZED),
            },
            Waiting::Reauthenticate => match answer {
                Answer::Admit(admission) => self.reauthenticated(index, &admission),
                Answer::Continue(data) => self.continue_reauthentication(index, &data),
                Answer::Deny(reason) => self.deny_reauthentication(index, reason, now),
                Answer::Allow => self.deny_reauthentication(index, ReasonCode::NOT_AUTHORIZED, now),
            },
            Waiting::Publish { message, packet_id } => {
                return self.publish_decided(index, &message, packet_id, verdict(&answer), now);
            }
            Waiting::Subscribe(pending) => self.subscribe_decided(index, pending, verdict(&answer), now),
            Waiting::ClientAuth(_) => {}
        }
        Ok(())
    }

    fn deny_reauthentication(&mut self, index: usize, reason: ReasonCode, now: Instant) {
        self.end_with_error(index, reason, None, CloseReason::Refused(reason), now);
    }

    fn delivery_decided(&mut self, index: usize, serial: u64, answer: &Answer, now: Instant) {
        let connection = &mut self.connections[index];
        let Some(key) = connection.session else { return };
        if *answer == Answer::Allow {
            connection.delivery = DeliveryCheck::Allowed { serial };
        } else {
            connection.delivery = DeliveryCheck::None;
            // Under the policy that drops the oldest, it may be gone already.
            if self.sessions[key].queue.front().is_some_and(|head| head.serial == serial) {
                self.counters.dropped_deliver_denied += 1;
                self.drop_head(key);
            }
        }
        self.pump(key, now);
    }
}

fn verdict(answer: &Answer) -> Result<(), ReasonCode> {
    match answer {
        Answer::Allow => Ok(()),
        Answer::Deny(reason) => Err(*reason),
        Answer::Admit(_) | Answer::Continue(_) => Err(ReasonCode::NOT_AUTHORIZED),
    }
}
