//! What lies outside the folder, is hidden, or is no file, is out of reach with every method.

use std::fs;
use std::os::unix::fs::symlink;

use coap_codec::{Code, OptionNumber};

use crate::peer::{Server, ask_segments, get};

const METHODS: [Code; 4] = [Code::GET, Code::PUT, Code::POST, Code::DELETE];

#[test]
fn no_path_leads_out_of_the_folder() {
    let outer = tempfile::tempdir().unwrap();
    let secret = outer.path().join("secret");
    fs::write(&secret, "secret").unwrap();
    let root = outer.path().join("served");
    fs::create_dir_all(root.join("sub")).unwrap();
    symlink("../secret", root.join("link")).unwrap();
    symlink(outer.path(), root.join("up")).unwrap();
    symlink("/etc/passwd", root.join("sub/absolute")).unwrap();
    symlink("..", root.join("sub/parent")).unwrap();
    let server = Server::of(&root, &["--write"]);
    let mut client = server.client();
    let absolute = secret.to_str().unwrap();
    let paths: [&[&[u8]]; 13] = [
        &[b"..", b"secret"],
        &[b"sub", b"..", b"..", b"secret"],
        &[b".", b"..", b"secret"],
        &[b"../secret"],
        &[b"sub/../../secret"],
        &[b"..\0", b"secret"],
        &[b"link"],
        &[b"up", b"secret"],
        &[b"sub", b"absolute"],
        &[b"sub", b"parent", b"link"],
        &[b"", b"secret"],
        &[absolute.as_bytes()],
        &[b"\xff\xfe"],
    ];
    for path in paths {
        for method in METHODS {
            let answer = client.ask(&ask_segments(method, path).payload("changed"));
            // What is not there counts as deleted.
            let nothing_done =
                answer.code.is_client_error() || (method, answer.code) == (Code::DELETE, Code::DELETED);
            assert!(nothing_done, "{method} {path:?}: {answer:?}");
            assert!(!answer.payload.windows(6).any(|part| part == b"secret"), "{method} {path:?}");
        }
    }
    assert_eq!(fs::read_to_string(&secret).unwrap(), "secret");
    let mut left: Vec<_> = fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["link", "sub", "up"]);
    assert_eq!(fs::read_dir(root.join("sub")).unwrap().count(), 2);
    assert_eq!(client.ask(&get("")).text(), "</sub>;ct=40");
    assert_eq!(client.ask(&get("sub")).text(), "");
}

#[test]
fn hidden_files_are_not_there_and_cannot_be_made() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(".m2m-0123456789abcdef.tmp"), "half").unwrap();
    fs::create_dir(folder.path().join(".git")).unwrap();
    fs::write(folder.path().join(".git/config"), "half").unwrap();
    let server = Server::of(folder.path(), &["--write"]);
    let mut client = server.client();
    for path in [&[&b".m2m-0123456789abcdef.tmp"[..]][..], &[b".git", b"config"], &[b".git"], &[b".new"]] {
        assert_eq!(client.code(&ask_segments(Code::GET, path)), Code::NOT_FOUND);
        for method in &METHODS[1..] {
            assert_eq!(client.code(&ask_segments(*method, path).payload("x")), Code::FORBIDDEN);
        }
    }
    assert_eq!(client.ask(&get("")).text(), "");
    let core = client.ask(&get(".well-known/core"));
    assert_eq!(core.text(), "</>;title=\"Files\";ct=40;obs");
    assert!(!folder.path().join(".new").exists());
}

#[test]
fn pipes_and_sockets_are_not_opened() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(folder.path().join("socket")).unwrap();
    let server = Server::of(folder.path(), &["--write"]);
    let mut client = server.client();
    for name in ["pipe", "socket"] {
        assert_eq!(client.code(&get(name)), Code::NOT_FOUND);
        assert_eq!(client.code(&crate::peer::ask(Code::PUT, name).payload("x")), Code::FORBIDDEN);
        assert_eq!(client.code(&get(name).with(OptionNumber::OBSERVE, &[])), Code::NOT_FOUND);
    }
    assert_eq!(client.ask(&get("")).text(), "");
    assert!(fs::symlink_metadata(&pipe).is_ok());
}
