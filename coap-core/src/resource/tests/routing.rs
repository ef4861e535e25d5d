//! Which resource a path leads to.

use coap_codec::Code;

use crate::Refused;
use crate::resource::{Resource, ResourceId, Table};

fn find(table: &Table, path: &[&str]) -> Option<ResourceId> {
    let found = table.walk(path.iter().map(|segment| segment.as_bytes()));
    found.exact.or(found.above)
}

#[test]
fn a_path_leads_to_the_resource_that_has_it() {
    let mut table = Table::new();
    let root = table.insert(Resource::new("/")).unwrap();
    let a = table.insert(Resource::new("a")).unwrap();
    let ab = table.insert(Resource::new("/a/b")).unwrap();
    assert_eq!(find(&table, &[]), Some(root));
    assert_eq!(find(&table, &["a"]), Some(a));
    assert_eq!(find(&table, &["a", "b"]), Some(ab));
    assert_eq!(find(&table, &["a", "b", "c"]), None);
    assert_eq!(find(&table, &["b"]), None);
}

/// RFC 7252 §6.4: `/foo/` ends with an empty segment, which is another path than `/foo`.
#[test]
fn a_slash_at_the_end_makes_another_path() {
    let mut table = Table::new();
    let with = table.insert(Resource::new("/foo/")).unwrap();
    assert_eq!(find(&table, &["foo", ""]), Some(with));
    assert_eq!(find(&table, &["foo"]), None);
    assert_eq!(find(&table, &[""]), None);
}

#[test]
fn a_path_without_resource_belongs_to_the_nearest_subtree_above() {
    let mut table = Table::new();
    let files = table.insert(Resource::new("/files").subtree()).unwrap();
    let deep = table.insert(Resource::new("/files/a/b").subtree()).unwrap();
    let exact = table.insert(Resource::new("/files/a")).unwrap();
    assert_eq!(find(&table, &["files"]), Some(files));
    assert_eq!(find(&table, &["files", "x", "y"]), Some(files));
    assert_eq!(find(&table, &["files", "a"]), Some(exact));
    assert_eq!(find(&table, &["files", "a", "c"]), Some(files));
    assert_eq!(find(&table, &["files", "a", "b"]), Some(deep));
    assert_eq!(find(&table, &["files", "a", "b", "c"]), Some(deep));
    assert_eq!(find(&table, &["filesystem"]), None);
}

#[test]
fn a_subtree_at_the_root_takes_all_else() {
    let mut table = Table::new();
    let all = table.insert(Resource::new("").subtree()).unwrap();
    let lamp = table.insert(Resource::new("lamp")).unwrap();
    assert_eq!(find(&table, &[]), Some(all));
    assert_eq!(find(&table, &["x", "y"]), Some(all));
    assert_eq!(find(&table, &["lamp"]), Some(lamp));
}

#[test]
fn a_path_belongs_to_one_resource() {
    let mut table = Table::new();
    let first = table.insert(Resource::new("/a")).unwrap();
    assert_eq!(table.insert(Resource::new("a").subtree()), Err(Refused::PathInUse));
    table.remove(first);
    assert!(table.insert(Resource::new("a").subtree()).is_ok());
}

#[test]
fn a_removed_resource_is_gone_and_its_name_stays_dead() {
    let mut table = Table::new();
    let deep = table.insert(Resource::new("/a/b/c")).unwrap();
    let above = table.insert(Resource::new("/a")).unwrap();
    assert_eq!(table.remove(deep).unwrap().path(), ["a", "b", "c"]);
    assert_eq!(find(&table, &["a", "b", "c"]), None);
    assert_eq!(find(&table, &["a"]), Some(above));
    let again = table.insert(Resource::new("/a/b/c")).unwrap();
    assert_ne!(again, deep);
    assert!(table.get(deep).is_none() && table.remove(deep).is_none());
    assert!(table.get(again).is_some());
}

#[test]
fn removal_leaves_no_nodes_behind() {
    let mut table = Table::new();
    let empty = table.node_count();
    let deep = table.insert(Resource::new("/a/b/c")).unwrap();
    let side = table.insert(Resource::new("/a/x")).unwrap();
    table.remove(deep);
    assert_eq!(find(&table, &["a", "x"]), Some(side));
    table.remove(side);
    assert_eq!(table.node_count(), empty);
}

#[test]
fn a_segment_may_have_a_slash_in_it() {
    let mut table = Table::new();
    let odd = table.insert(Resource::at(["a/b"])).unwrap();
    assert_eq!(find(&table, &["a/b"]), Some(odd));
    assert_eq!(find(&table, &["a", "b"]), None);
}

#[test]
fn methods_that_a_resource_has_not_are_not_allowed() {
    let get_only = Resource::new("a");
    assert!(get_only.allows(Code::GET) && !get_only.allows(Code::PUT));
    let more = Resource::new("a").methods(&[Code::FETCH, Code::IPATCH]);
    assert!(more.allows(Code::FETCH) && more.allows(Code::IPATCH));
    assert!(!more.allows(Code::GET) && !more.allows(Code::PATCH));
    // RFC 7252 §5.8: methods that nobody has defined.
    let undefined = Code::new(0, 31).unwrap();
    assert!(!more.allows(undefined));
    assert!(Resource::new("a").methods(&[undefined]).allows(undefined));
    assert!(!Resource::new("a").methods(&[Code::EMPTY, Code::CONTENT]).allows(Code::EMPTY));
}
