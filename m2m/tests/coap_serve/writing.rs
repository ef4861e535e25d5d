//! PUT, POST and DELETE.

use std::fs;
use std::path::Path;

use coap_codec::{Block, Code, OptionNumber};

use crate::peer::{Ask, Server, ask, get};

fn put(path: &str, content: &str) -> Ask {
    ask(Code::PUT, path).payload(content)
}

fn delete(path: &str) -> Ask {
    ask(Code::DELETE, path)
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn without_leave_nothing_changes() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.txt"), "one").unwrap();
    let server = Server::of(folder.path(), &[]);
    let mut client = server.client();
    for asked in [
        put("a.txt", "two"),
        put("new.txt", "two"),
        delete("a.txt"),
        ask(Code::POST, "").payload("two"),
        ask(Code::POST, "a.txt").payload("two"),
        ask(Code::PATCH, "a.txt").payload("two"),
        ask(Code::FETCH, "a.txt").payload("two"),
    ] {
        assert_eq!(client.code(&asked), Code::METHOD_NOT_ALLOWED);
    }
    assert_eq!(fs::read_to_string(folder.path().join("a.txt")).unwrap(), "one");
    assert_eq!(names(folder.path()), ["a.txt"]);
}

#[test]
fn put_creates_and_changes_and_delete_removes() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::of(folder.path(), &["--write"]);
    let mut client = server.client();
    assert_eq!(client.code(&put("a.txt", "one")), Code::CREATED);
    assert_eq!(client.ask(&get("a.txt")).text(), "one");
    assert_eq!(client.code(&put("a.txt", "two")), Code::CHANGED);
    assert_eq!(fs::read_to_string(folder.path().join("a.txt")).unwrap(), "two");
    assert_eq!(names(folder.path()), ["a.txt"], "nothing else is left");
    assert_eq!(client.code(&delete("a.txt")), Code::DELETED);
    assert_eq!(client.code(&get("a.txt")), Code::NOT_FOUND);
    assert_eq!(client.code(&delete("a.txt")), Code::DELETED, "what is not there counts as deleted");
    assert_eq!(names(folder.path()), [""; 0]);
}

#[test]
fn post_to_a_folder_makes_a_file_and_says_where() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("sub")).unwrap();
    fs::write(folder.path().join("a.txt"), "").unwrap();
    let server = Server::of(folder.path(), &["--write"]);
    let mut client = server.client();
    let answer =
        client.ask(&ask(Code::POST, "sub").with_uint(OptionNumber::CONTENT_FORMAT, 50).payload("{\"a\":1}"));
    assert_eq!(answer.code, Code::CREATED);
    let location: Vec<_> = answer.options().all(OptionNumber::LOCATION_PATH).map(<[u8]>::to_vec).collect();
    let [folder_name, name] = &location[..] else { panic!("{location:?}") };
    assert_eq!(folder_name, b"sub");
    let path = format!("sub/{}", std::str::from_utf8(name).unwrap());
    let made = client.ask(&get(&path));
    assert_eq!((made.text(), made.options().content_format().unwrap().get()), ("{\"a\":1}", 50));
    assert_eq!(client.code(&ask(Code::POST, "a.txt").payload("x")), Code::METHOD_NOT_ALLOWED);
    assert_eq!(client.code(&ask(Code::POST, "nowhere").payload("x")), Code::NOT_FOUND);
}

#[test]
fn preconditions_are_honoured() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.txt");
    let server = Server::of(folder.path(), &["--write"]);
    let mut client = server.client();
    let if_none_match = || put("a.txt", "one").with(OptionNumber::IF_NONE_MATCH, &[]);
    assert_eq!(client.code(&put("a.txt", "0").with(OptionNumber::IF_MATCH, &[])), Code::PRECONDITION_FAILED);
    assert_eq!(client.code(&if_none_match()), Code::CREATED);
    assert_eq!(client.code(&if_none_match()), Code::PRECONDITION_FAILED);
    let etag = client.ask(&get("a.txt")).etag();
    let if_match = |content| put("a.txt", content).with(OptionNumber::IF_MATCH, &etag);
    assert_eq!(client.code(&if_match("two")), Code::CHANGED);
    assert_eq!(client.code(&if_match("three")), Code::PRECONDITION_FAILED);
    assert_eq!(client.code(&delete("a.txt").with(OptionNumber::IF_MATCH, &etag)), Code::PRECONDITION_FAILED);
    assert_eq!(fs::read_to_string(&file).unwrap(), "two");
    assert_eq!(client.code(&delete("a.txt").with(OptionNumber::IF_MATCH, &[])), Code::DELETED);
    assert!(!file.exists());
}

#[test]
fn a_body_of_many_blocks_replaces_the_file_when_it_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.bin");
    fs::write(&file, "old").unwrap();
    let server = Server::of(folder.path(), &["--write", "--max-body", "2048"]);
    let mut client = server.client();
    let body: Vec<u8> = (0..150).collect();
    let block = |num: u32, more| Block::new(num, more, 2).unwrap().value();
    for (num, part) in (0_u32..).zip(body.chunks(64)) {
        assert_eq!(fs::read(&file).unwrap(), b"old");
        let more = part.len() == 64;
        let asked = ask(Code::PUT, "a.bin").with(OptionNumber::BLOCK1, &block(num, more)).payload(part);
        assert_eq!(client.code(&asked), if more { Code::CONTINUE } else { Code::CHANGED });
    }
    assert_eq!(fs::read(&file).unwrap(), body);
    let asked = ask(Code::PUT, "a.bin")
        .with(OptionNumber::BLOCK1, &Block::new(0, true, 6).unwrap().value())
        .with_uint(OptionNumber::SIZE1, 5000)
        .payload([0; 1024]);
    let answer = client.ask(&asked);
    assert_eq!(answer.code, Code::REQUEST_ENTITY_TOO_LARGE);
    assert_eq!(answer.options().size1(), Some(2048));
}

#[test]
fn what_a_name_says_must_be_what_is_put() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::of(folder.path(), &["--write"]);
    let mut client = server.client();
    let with_format = |path, format| put(path, "{}").with_uint(OptionNumber::CONTENT_FORMAT, format);
    assert_eq!(client.code(&with_format("a.json", 50)), Code::CREATED);
    let answer = client.ask(&with_format("a.json", 60));
    assert_eq!(
        (answer.code, answer.text()),
        (Code::UNSUPPORTED_CONTENT_FORMAT, "a.json is served as application/json")
    );
    assert_eq!(client.code(&with_format("a.dat", 60)), Code::CREATED, "a name that says nothing fits all");
}

#[test]
fn folders_and_their_places_stay() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("sub")).unwrap();
    let server = Server::of(folder.path(), &["--write"]);
    let mut client = server.client();
    for asked in [put("sub", "x"), delete("sub"), put("", "x"), delete(""), delete("sub/")] {
        assert_eq!(client.code(&asked), Code::METHOD_NOT_ALLOWED);
    }
    assert_eq!(client.code(&put("nowhere/a.txt", "x")), Code::NOT_FOUND);
    assert_eq!(names(folder.path()), ["sub"]);
}
