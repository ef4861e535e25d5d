//! Observe: changes of files reach those who observe them, and nobody else.

use std::fs;
use std::time::Duration;

use coap_codec::{Code, MessageType, OptionNumber};

use crate::peer::{Ask, Client, Server, ask, get};

/// More than it takes to notice a change.
const QUIET: Duration = Duration::from_millis(600);

fn observe(path: &str) -> Ask {
    get(path).with(OptionNumber::OBSERVE, &[])
}

/// Registers, and asserts what there is.
#[track_caller]
fn register(client: &mut Client, path: &str, content: &str) {
    let answer = client.ask(&observe(path));
    assert_eq!((answer.code, answer.text()), (Code::CONTENT, content));
    assert!(answer.options().observe().is_some(), "it is observed");
}

#[test]
fn a_change_of_a_file_reaches_its_observers_and_no_others() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a.txt", "b.txt"] {
        fs::write(folder.path().join(name), "one").unwrap();
    }
    let server = Server::of(folder.path(), &[]);
    let (mut client, mut other) = (server.client(), server.client());
    register(&mut client, "a.txt", "one");
    register(&mut other, "b.txt", "one");
    fs::write(folder.path().join("a.txt"), "two").unwrap();
    let came = client.next_that(|came| came.text() == "two");
    assert_eq!((came.message_type, came.code), (MessageType::Confirmable, Code::CONTENT));
    assert!(came.options().observe().is_some());
    assert!(other.next_within(QUIET).is_none(), "another file has not changed");
}

#[test]
fn a_file_that_is_replaced_is_the_same_resource() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.txt"), "one").unwrap();
    let server = Server::of(folder.path(), &[]);
    let mut client = server.client();
    register(&mut client, "a.txt", "one");
    fs::write(folder.path().join("new"), "two").unwrap();
    fs::rename(folder.path().join("new"), folder.path().join("a.txt")).unwrap();
    client.next_that(|came| came.text() == "two");
}

#[test]
fn a_file_that_is_deleted_ends_the_observation() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("sub")).unwrap();
    fs::write(folder.path().join("a.txt"), "one").unwrap();
    fs::write(folder.path().join("sub/b.txt"), "one").unwrap();
    let server = Server::of(folder.path(), &[]);
    let (mut client, mut other) = (server.client(), server.client());
    register(&mut client, "a.txt", "one");
    register(&mut other, "sub/b.txt", "one");
    fs::remove_file(folder.path().join("a.txt")).unwrap();
    fs::rename(folder.path().join("sub"), folder.path().join("elsewhere")).unwrap();
    for client in [&mut client, &mut other] {
        let came = client.next();
        assert_eq!(came.code, Code::NOT_FOUND);
        assert_eq!(came.options().observe(), None);
    }
    fs::write(folder.path().join("a.txt"), "two").unwrap();
    assert!(client.next_within(QUIET).is_none());
    assert_eq!(client.ask(&get("elsewhere/b.txt")).text(), "one");
}

#[test]
fn a_put_reaches_observers_and_a_delete_ends_their_observation() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.txt"), "one").unwrap();
    let server = Server::of(folder.path(), &["--write"]);
    let (mut client, mut writer) = (server.client(), server.client());
    register(&mut client, "a.txt", "one");
    assert_eq!(writer.code(&ask(Code::PUT, "a.txt").payload("two")), Code::CHANGED);
    client.next_that(|came| came.text() == "two");
    assert_eq!(writer.code(&ask(Code::DELETE, "a.txt")), Code::DELETED);
    client.next_that(|came| came.code == Code::NOT_FOUND);
}

#[test]
fn observers_hear_of_a_put_once_and_of_what_others_then_write() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.txt");
    fs::write(&file, "one").unwrap();
    let server = Server::of(folder.path(), &["--write"]);
    let (mut client, mut late, mut writer) = (server.client(), server.client(), server.client());
    register(&mut client, "a.txt", "one");
    for text in ["two", "two too"] {
        assert_eq!(writer.code(&ask(Code::PUT, "a.txt").payload(text)), Code::CHANGED);
        assert_eq!(client.next().text(), text);
        assert!(client.next_within(QUIET).is_none(), "{text} was heard twice");
    }
    fs::write(&file, "three").unwrap();
    client.next_that(|came| came.text() == "three");

    // Somebody has seen another content in between: what was written is news to him.
    assert_eq!(writer.code(&ask(Code::PUT, "a.txt").payload("four")), Code::CHANGED);
    fs::write(&file, "five").unwrap();
    register(&mut late, "a.txt", "five");
    fs::write(&file, "four").unwrap();
    late.next_that(|came| came.text() == "four");
}

#[test]
fn a_folder_is_observed_for_what_is_in_it() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("sub")).unwrap();
    let server = Server::of(folder.path(), &[]);
    let (mut root, mut sub) = (server.client(), server.client());
    register(&mut root, "", "</sub>;ct=40");
    register(&mut sub, "sub", "");
    fs::write(folder.path().join("sub/a.txt"), "one").unwrap();
    sub.next_that(|came| came.text() == "</sub/a.txt>;ct=0;sz=3");
    assert!(root.next_within(QUIET).is_none(), "what is deeper is another folder's");
    fs::write(folder.path().join("b.txt"), "1").unwrap();
    root.next_that(|came| came.text() == "</b.txt>;ct=0;sz=1,</sub>;ct=40");
}

#[test]
fn what_is_made_in_a_new_folder_is_observed_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::of(folder.path(), &[]);
    let mut client = server.client();
    fs::create_dir_all(folder.path().join("x/y")).unwrap();
    fs::write(folder.path().join("x/y/a.txt"), "one").unwrap();
    // At once, when the server does not know of it yet.
    register(&mut client, "x/y/a.txt", "one");
    fs::write(folder.path().join("x/y/a.txt"), "two").unwrap();
    client.next_that(|came| came.text() == "two");
}

#[test]
fn observations_have_an_upper_limit() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.txt"), "one").unwrap();
    let server = Server::of(folder.path(), &["--max-observers", "1"]);
    let mut client = server.client();
    register(&mut client, "a.txt", "one");
    let answer = server.client().ask(&observe("a.txt"));
    assert_eq!((answer.code, answer.options().observe()), (Code::CONTENT, None));
}
