//! The least that a server can do: one system call to receive a request, one to send the answer, and nothing looked at that
//! the load does not need. Not CoAP: it shows what of a server's costs are the kernel's.

use core::net::Ipv4Addr;
use std::io;
use std::net::UdpSocket;

use clap::Args;

/// Serves what was put last, whatever is asked for, in bodies of one block.
#[derive(Args)]
pub(crate) struct Arguments {
    port: u16,
}

/// A piggybacked 2.05 with a token of four bytes, and a Reset.
const CONTENT: [u8; 2] = [0x64, 0x45];
const RESET: [u8; 2] = [0x70, 0x00];
const PUT: u8 = 3;
const MARKER: u8 = 0xFF;
/// Header and token.
const HEAD: usize = 8;

pub(crate) fn serve(arguments: &Arguments) -> io::Result<()> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, arguments.port))?;
    let (mut request, mut answer) = ([0; 2048], vec![0; HEAD]);
    loop {
        let (len, from) = socket.recv_from(&mut request)?;
        let Some((head, rest)) = request[..len].split_at_checked(HEAD) else {
            let id = [request[2], request[3]];
            socket.send_to(&[RESET, id].concat(), from)?;
            continue;
        };
        if head[1] == PUT {
            let payload = rest.iter().position(|&byte| byte == MARKER).map_or(&[][..], |at| &rest[at..]);
            answer.truncate(HEAD);
            answer.extend_from_slice(payload);
        }
        answer[..2].copy_from_slice(&CONTENT);
        answer[2..HEAD].copy_from_slice(&head[2..]);
        socket.send_to(&answer, from)?;
    }
}
