//! What is published arrives.

use std::fs;

use crate::tool::{Subscriber, broker, publish, publish_input, run, wait_for};

const VERSIONS: [&str; 3] = ["31", "mqttv311", "5"];

#[test]
fn every_version_and_qos() {
    let broker = broker();
    let subscribers = VERSIONS.map(|version| {
        Subscriber::start(&broker, &["-V", version, "-t", "a/#", "-q", "2", "-C", "9", "-F", "%t %q %p"])
    });
    let mut expected = String::new();
    for version in VERSIONS {
        for qos in ["0", "1", "2"] {
            let topic = format!("a/{version}");
            publish(&broker, &["-V", version, "-t", &topic, "-q", qos, "-m", "message"]);
            expected.extend([&topic, " ", qos, " message\n"]);
        }
    }
    for subscriber in subscribers {
        assert_eq!(subscriber.output(), expected);
    }
    assert_eq!(broker.metric("m2m_mqtt_wills_published_total"), 0);
}

#[test]
fn lines_of_standard_input_in_order_at_every_qos() {
    let broker = broker();
    let lines = (0..5000).map(|number| number.to_string()).collect::<Vec<_>>().join("\n") + "\n";
    for (qos, version) in [("0", "311"), ("1", "311"), ("2", "5")] {
        let subscriber = Subscriber::start(&broker, &["-t", "lines", "-q", qos, "-C", "5000"]);
        let arguments = ["-t", "lines", "-l", "-q", qos, "-V", version];
        assert_eq!(publish_input(&broker, &arguments, lines.as_bytes()), (0, String::new(), String::new()));
        assert_eq!(subscriber.output(), lines);
    }
}

#[test]
fn an_empty_line_is_an_empty_message_and_the_last_line_needs_no_end() {
    let broker = broker();
    let subscriber = Subscriber::start(&broker, &["-t", "lines", "-q", "1", "-C", "3", "-v"]);
    assert_eq!(publish_input(&broker, &["-t", "lines", "-l", "-q", "1"], b"a\n\nb").0, 0);
    assert_eq!(subscriber.output(), "lines a\nlines (null)\nlines b\n");
    assert_eq!(publish_input(&broker, &["-t", "lines", "-l", "-q", "1"], b"").0, 0);
}

#[test]
fn files_and_all_of_standard_input_are_one_message() {
    let broker = broker();
    let file = tempfile::NamedTempFile::new().unwrap();
    let text = "0123456789abcde\n".repeat(200_000);
    fs::write(file.path(), &text).unwrap();
    let path = file.path().to_str().unwrap();
    for qos in ["0", "1", "2"] {
        let subscriber = Subscriber::start(&broker, &["-t", "f", "-q", qos, "-C", "2", "-N"]);
        publish(&broker, &["-t", "f", "-q", qos, "-f", path]);
        assert_eq!(publish_input(&broker, &["-t", "f", "-q", qos, "-s"], text.as_bytes()).0, 0);
        assert_eq!(subscriber.output(), text.repeat(2));
    }
    let (code, _, problem) = run("pub", &broker, &["-t", "f", "-f", "no/such/file"]);
    assert_eq!((code, problem.starts_with("m2m: cannot read no/such/file: ")), (1, true), "{problem}");
    let (code, _, problem) = publish_input(&broker, &["-t", "f", "-s"], b"");
    assert_eq!(
        (code, problem.as_str()),
        (1, "m2m: standard input is empty (-n publishes an empty message)\n")
    );
}

#[test]
fn repetitions_wait_for_their_delay() {
    let broker = broker();
    let subscriber = Subscriber::start(&broker, &["-t", "r", "-C", "103", "-F", "@s.@N %p"]);
    publish(&broker, &["-t", "r", "-m", "fast", "--repeat", "100", "-q", "2"]);
    publish(&broker, &["-t", "r", "-m", "slow", "--repeat", "3", "--repeat-delay", "0.2"]);
    let output = subscriber.output();
    let times: Vec<f64> =
        output.lines().map(|line| line.split_once(' ').unwrap().0.parse().unwrap()).collect();
    assert_eq!(output.matches("fast").count(), 100);
    for pair in times[100..].windows(2) {
        assert!(pair[1] - pair[0] > 0.15, "{pair:?}");
    }
}

#[test]
fn retained_messages_are_seen_left_out_and_removed() {
    let broker = broker();
    for topic in ["k/1", "k/2", "k/3"] {
        publish(&broker, &["-t", topic, "-r", "-q", "1", "-m", "old"]);
    }
    let seen = Subscriber::begin(&broker, &["-t", "k/+", "-C", "3", "-F", "%r %t"]);
    let mut lines: Vec<_> = seen.output().lines().map(ToOwned::to_owned).collect();
    lines.sort_unstable();
    assert_eq!(lines, ["1 k/1", "1 k/2", "1 k/3"]);

    for version in VERSIONS {
        let fresh =
            Subscriber::start(&broker, &["-V", version, "-t", "k/+", "-R", "-C", "1", "-F", "%r %t %p"]);
        publish(&broker, &["-t", "k/2", "-m", "new"]);
        assert_eq!(fresh.output(), "0 k/2 new\n");
    }

    // It ends by itself: what removes the first message comes back, and is not retained.
    let only = ["-t", "k/+", "--retained-only", "-T", "k/3", "--remove-retained"];
    assert_eq!(Subscriber::begin(&broker, &only).output(), "old\nold\n");
    let left = ["-t", "k/+", "-C", "1", "-F", "%t"];
    assert_eq!(Subscriber::begin(&broker, &left).output(), "k/3\n");
    publish(&broker, &["-t", "k/3", "-r", "-n"]);
    assert_eq!(run("sub", &broker, &["-t", "k/+", "-W", "0.5"]).1, "", "-n removes what is retained");
}

#[test]
fn a_session_goes_on_where_the_last_run_ended() {
    for (version, expiry) in [("31", ""), ("311", ""), ("5", ""), ("5", "60")] {
        let broker = broker();
        let mut session = vec!["-V", version, "-i", "kept", "-c", "-t", "s/#", "-q", "2"];
        if !expiry.is_empty() {
            session.extend(["-x", expiry]);
        }
        assert_eq!(run("sub", &broker, &[&session[..], &["-E"]].concat()).0, 0);
        for (qos, number) in ["1", "2", "1", "2", "1", "2"].into_iter().zip(1..) {
            publish(&broker, &["-t", "s/a", "-q", qos, "-m", &number.to_string()]);
        }
        // What is printed is acknowledged, and nothing else: the next run gets it.
        for expected in ["1\n2\n", "3\n4\n", "5\n6\n"] {
            let subscriber = Subscriber::begin(&broker, &[&session[..], &["-C", "2"]].concat());
            assert_eq!(subscriber.output(), expected, "{version}");
        }
    }
}

#[test]
fn topics_are_added_filtered_and_taken_back() {
    let broker = broker();
    let arguments = ["-t", "a/#", "-t", "b", "-T", "a/+/secret", "-T", "b/#", "-C", "2", "-v"];
    let subscriber = Subscriber::begin(&broker, &arguments);
    wait_for(&broker, "m2m_mqtt_subscriptions", 2);
    for topic in ["a/1/secret", "b", "a/1", "a/2/open"] {
        publish(&broker, &["-t", topic, "-m", "x"]);
    }
    assert_eq!(subscriber.output(), "a/1 x\na/2/open x\n");

    let session = ["-i", "kept", "-c", "-q", "1"];
    assert_eq!(run("sub", &broker, &[&session[..], &["-t", "u/1", "-t", "u/2", "-E"]].concat()).0, 0);
    assert_eq!(run("sub", &broker, &[&session[..], &["-U", "u/1", "-E"]].concat()).0, 0);
    assert_eq!(broker.metric("m2m_mqtt_subscriptions"), 1);
}

#[test]
fn properties_arrive() {
    let broker = broker();
    let subscribe = ["-t", "p", "-D", "subscribe", "subscription-identifier", "7", "-C", "2"];
    let format = ["-F", "%C|%R|%D|%E|%F|%P|%S|%p"];
    let subscriber = Subscriber::start(&broker, &[&subscribe[..], &format].concat());
    let properties = [
        "publish content-type text/plain",
        "publish response-topic answers",
        "publish correlation-data 42",
        "publish payload-format-indicator 1",
        "publish user-property name value",
        "publish user-property name other",
        "publish message-expiry-interval 60",
    ];
    let mut arguments = vec!["-t", "p", "-m", "body"];
    for property in properties {
        arguments.push("-D");
        arguments.extend(property.split(' '));
    }
    publish(&broker, &arguments);
    publish(&broker, &["-t", "p", "-m", "bare"]);
    assert_eq!(
        subscriber.output(),
        "text/plain|answers|42|60|1|name:value name:other|7|body\n||||||7|bare\n"
    );
}
