use crate::level::{common_prefix, level_length};

/// Whether a valid filter matches a valid name (MQTT 5.0 §4.7): both are walked once, eight bytes at a
/// time, and looked at only where they differ. A wrong input gives a wrong answer, never a panic.
pub(crate) fn matches(filter: &[u8], name: &[u8]) -> bool {
    if name.first() == Some(&b'$') && matches!(filter.first(), Some(b'+' | b'#')) {
        return false; // [MQTT-4.7.2-1]
    }
    if filter == b"#" {
        return true;
    }
    let (mut filter, mut name) = (filter, name);
    loop {
        // Both are at the beginning of a level, or inside one that has been equal so far.
        if let [b'+', rest @ ..] = filter {
            (filter, name) = match (rest, &name[level_length(name)..]) {
                ([b'/', filter @ ..], [b'/', name @ ..]) => (filter, name),
                (rest, name) => return name.is_empty() && matches!(rest, [] | [b'/', b'#']),
            };
            continue;
        }
        let same = common_prefix(filter, name);
        (filter, name) = (&filter[same..], &name[same..]);
        match filter {
            [b'#'] => return true,
            [b'+', ..] => {}
            rest => return name.is_empty() && matches!(rest, [] | [b'/', b'#']),
        }
    }
}
