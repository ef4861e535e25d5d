//! CoAP over reliable transports, RFC 8323: frames of TCP and TLS, messages of WebSockets, signalling.

mod frame;
mod message;
mod signal;

pub use frame::{BASE_MAX_MESSAGE_SIZE, Frame, Framing, Rules, next_frame};
pub use message::Message;
pub use signal::{Signal, SignalOption};
