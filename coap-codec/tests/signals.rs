//! Signals of reliable transports, RFC 8323 §5.
#![cfg(feature = "bytes")]

mod common;

use coap_codec::stream::{Signal, SignalOption};
use coap_codec::{Code, FaultKind, OptionFault, OptionNumber, Options, OptionsWriter};
use common::owned::plain_block;

fn read(code: Code, options: &[(u16, &[u8])], check: impl FnOnce(Result<Option<Signal<'_>>, OptionFault>)) {
    let list: Vec<_> = options.iter().map(|(number, value)| (*number, value.to_vec())).collect();
    let block = plain_block(&list);
    check(Signal::read(code, Options::decode(&block).unwrap()));
}

#[test]
fn what_is_written_is_read() {
    let signals = [
        Signal::Csm { max_message_size: None, block_wise_transfer: false, extended_token_length: None },
        Signal::Csm {
            max_message_size: Some(8_388_864),
            block_wise_transfer: true,
            extended_token_length: Some(65_804),
        },
        Signal::Ping { custody: false },
        Signal::Ping { custody: true },
        Signal::Pong { custody: true },
        Signal::Release { alternative_address: None, hold_off: None },
        Signal::Release { alternative_address: Some("example.net:5683"), hold_off: Some(60) },
        Signal::Abort { bad_csm_option: None },
        Signal::Abort { bad_csm_option: Some(OptionNumber::new(9)) },
    ];
    for signal in signals {
        let mut buffer = [0; 300];
        let mut writer = OptionsWriter::new(&mut buffer);
        signal.write_options(&mut writer).unwrap();
        assert_eq!(Signal::read(signal.code(), writer.finish()), Ok(Some(signal)));
    }
}

#[test]
fn an_unknown_critical_option_is_a_fault_and_an_elective_one_is_not() {
    for code in [Code::CSM, Code::PING, Code::PONG, Code::RELEASE, Code::ABORT] {
        read(code, &[(9, b"")], |signal| {
            let kind = FaultKind::Unrecognised;
            assert_eq!(signal, Err(OptionFault { number: OptionNumber::new(9), kind }), "{code}");
        });
        read(code, &[(10, b"x"), (12, b"y")], |signal| assert!(signal.unwrap().is_some()));
        // Critical numbers of requests mean nothing here.
        read(code, &[(OptionNumber::URI_PATH.get(), b"a")], |signal| assert!(signal.is_err()));
    }
}

#[test]
fn a_number_means_something_else_in_each_code() {
    let at_2 = |code| SignalOption::definition(code, OptionNumber::new(2)).map(|definition| definition.name);
    let codes = [Code::CSM, Code::PING, Code::PONG, Code::RELEASE, Code::ABORT, Code::GET];
    assert_eq!(
        codes.map(at_2),
        [
            Some("Max-Message-Size"),
            Some("Custody"),
            Some("Custody"),
            Some("Alternative-Address"),
            Some("Bad-CSM-Option"),
            None
        ]
    );
}

#[test]
fn values_of_a_wrong_length_are_ignored() {
    read(Code::CSM, &[(2, &[1, 0, 0, 0, 0]), (4, b"x"), (6, &[0, 0, 0, 9])], |signal| {
        let nothing =
            Signal::Csm { max_message_size: None, block_wise_transfer: false, extended_token_length: None };
        assert_eq!(signal, Ok(Some(nothing)));
    });
}

#[test]
fn a_release_can_name_several_addresses() {
    let block = plain_block(&[(2, b"a".to_vec()), (2, vec![]), (2, vec![0xFF]), (2, b"b:1".to_vec())]);
    let options = Options::decode(&block).unwrap();
    assert_eq!(Signal::alternative_addresses(options).collect::<Vec<_>>(), ["a", "b:1"]);
    let signal = Signal::read(Code::RELEASE, options).unwrap().unwrap();
    assert_eq!(signal, Signal::Release { alternative_address: Some("a"), hold_off: None });
}

#[test]
fn a_signal_without_a_meaning_is_none() {
    read(Code::new(7, 6).unwrap(), &[], |signal| assert_eq!(signal, Ok(None)));
    read(Code::GET, &[], |signal| assert_eq!(signal, Ok(None)));
}
