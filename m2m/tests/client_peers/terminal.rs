//! What is only to be seen on a terminal: `script` makes one.

use std::process::{Command, Stdio};

use crate::support::Broker;

#[test]
#[ignore = "needs mosquitto, amqtt, aedes: ./test installs and runs them"]
fn a_bar_for_many_messages_and_none_for_one() {
    let broker = Broker::start();
    for (repeat, bar) in [(20_000, true), (1, false)] {
        let program = env!("CARGO_BIN_EXE_m2m");
        let command =
            format!("{program} pub -h 127.0.0.1 -p {} -t a -m x -q 1 --repeat {repeat}", broker.port());
        let mut terminal = Command::new("script");
        terminal.args(["-qec", &command, "/dev/null"]).env("TERM", "xterm").stdin(Stdio::null());
        let output = terminal.output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{text}");
        assert_eq!(text.contains(" 20000/20000 messages"), bar, "{text}");
        assert!(bar || text.is_empty(), "{text}");
    }
}
