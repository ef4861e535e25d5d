//! GET: representations, entity-tags, formats, folders, discovery.

use std::fs;
use std::os::unix::fs::symlink;

use coap_codec::{Code, ContentFormat, OptionNumber};

use crate::peer::{Server, get};

#[test]
fn a_file_comes_with_its_format_and_an_entity_tag() {
    let folder = tempfile::tempdir().unwrap();
    for (name, format) in [
        ("a.txt", ContentFormat::TEXT_PLAIN),
        ("a.json", ContentFormat::JSON),
        ("a.cbor", ContentFormat::CBOR),
        ("a.bin", ContentFormat::OCTET_STREAM),
        ("a", ContentFormat::OCTET_STREAM),
    ] {
        fs::write(folder.path().join(name), name).unwrap();
        let server = Server::of(folder.path(), &[]);
        let answer = server.client().ask(&get(name));
        assert_eq!((answer.code, answer.text()), (Code::CONTENT, name));
        assert_eq!(answer.options().content_format(), Some(format));
        assert!(!answer.etag().is_empty());
    }
}

#[test]
fn who_has_the_representation_gets_valid_until_it_changes() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.txt");
    fs::write(&file, "one").unwrap();
    let server = Server::of(folder.path(), &[]);
    let mut client = server.client();
    let etag = client.ask(&get("a.txt")).etag();
    let valid = client.ask(&get("a.txt").with(OptionNumber::ETAG, &etag));
    assert_eq!((valid.code, valid.text(), valid.etag()), (Code::VALID, "", etag.clone()));
    // The same size, and most likely within the resolution of the file's time.
    fs::write(&file, "two").unwrap();
    let changed = client.ask(&get("a.txt").with(OptionNumber::ETAG, &etag));
    assert_eq!((changed.code, changed.text()), (Code::CONTENT, "two"));
    assert_ne!(changed.etag(), etag);
    fs::write(&file, "one").unwrap();
    assert_eq!(client.ask(&get("a.txt")).etag(), etag, "the tag is one of the content");
}

#[test]
fn a_format_that_a_file_does_not_have_is_not_acceptable() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.txt"), "one").unwrap();
    let server = Server::of(folder.path(), &[]);
    let mut client = server.client();
    let accept = |path, format| get(path).with_uint(OptionNumber::ACCEPT, format);
    assert_eq!(client.code(&accept("a.txt", 0)), Code::CONTENT);
    assert_eq!(client.code(&accept("a.txt", 50)), Code::NOT_ACCEPTABLE);
    assert_eq!(client.code(&accept("", 40)), Code::CONTENT);
    assert_eq!(client.code(&accept("", 0)), Code::NOT_ACCEPTABLE);
}

#[test]
fn folders_are_lists_of_links() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    fs::create_dir_all(root.join("sub dir/deep")).unwrap();
    fs::write(root.join("sub dir/x.json"), "{}").unwrap();
    fs::write(root.join("a.txt"), "12345").unwrap();
    fs::write(root.join("größe,\"<>\".bin"), "").unwrap();
    fs::write(root.join(".hidden"), "").unwrap();
    symlink("a.txt", root.join("link")).unwrap();
    let server = Server::of(root, &[]);
    let mut client = server.client();
    let list = client.ask(&get(""));
    assert_eq!(list.options().content_format(), Some(ContentFormat::LINK_FORMAT));
    assert_eq!(
        list.text(),
        "</a.txt>;ct=0;sz=5,</gr%C3%B6%C3%9Fe,%22%3C%3E%22.bin>;ct=42;sz=0,</sub%20dir>;ct=40"
    );
    for path in ["sub dir", "sub dir/"] {
        let list = client.ask(&get(path));
        assert_eq!(list.text(), "</sub%20dir/deep>;ct=40,</sub%20dir/x.json>;ct=50;sz=2");
    }
    assert_eq!(client.code(&get("größe,\"<>\".bin")), Code::CONTENT);
    assert_eq!(client.ask(&get("sub dir/deep")).text(), "");
    assert_eq!(client.code(&get("a.txt/")), Code::NOT_FOUND, "a file is no folder");
    assert_eq!(client.code(&get("a.txt/b")), Code::NOT_FOUND);
}

#[test]
fn discovery_shows_what_is_at_the_top() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("sub")).unwrap();
    fs::write(folder.path().join("sub/x.json"), "{}").unwrap();
    fs::write(folder.path().join("a.txt"), "1").unwrap();
    let server = Server::of(folder.path(), &[]);
    let mut client = server.client();
    let core = || get(".well-known/core");
    let mut links: Vec<_> = client.ask(&core()).text().split(',').map(str::to_owned).collect();
    links.sort();
    assert_eq!(links, ["</>;title=\"Files\";ct=40;obs", "</a.txt>;ct=0;obs", "</sub>;ct=40;obs"]);
    let of_format = core().with(OptionNumber::URI_QUERY, b"ct=0");
    assert_eq!(client.ask(&of_format).text(), "</a.txt>;ct=0;obs");
}

#[test]
fn a_file_of_many_blocks_comes_whole_and_one_above_the_limit_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let body: Vec<u8> = (0..100_001_u32).map(|at| (at.wrapping_mul(at) >> 5) as u8).collect();
    fs::write(folder.path().join("large.bin"), &body).unwrap();
    fs::write(folder.path().join("larger.bin"), vec![0; 100_002]).unwrap();
    let server = Server::of(folder.path(), &["--max-body", "100001", "--block-size", "512"]);
    let mut client = server.client();
    assert!(client.body("large.bin", 6) == body, "asked for in larger blocks than there are");
    assert!(client.body("large.bin", 3) == body);
    let answer = client.ask(&get("larger.bin"));
    assert_eq!(answer.code, Code::INTERNAL_SERVER_ERROR);
    assert_eq!(answer.text(), "it is larger than this server transfers");
}

#[test]
fn a_file_that_is_made_later_can_be_read_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::of(folder.path(), &[]);
    let mut client = server.client();
    assert_eq!(client.code(&get("sub/a.txt")), Code::NOT_FOUND);
    fs::create_dir(folder.path().join("sub")).unwrap();
    fs::write(folder.path().join("sub/a.txt"), "new").unwrap();
    assert_eq!(client.ask(&get("sub/a.txt")).text(), "new");
}
