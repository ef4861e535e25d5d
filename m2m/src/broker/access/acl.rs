//! Access control lists in mosquitto's file format: who may publish and receive what.

use alloc::collections::BTreeMap;
use alloc::rc::Rc;

use thiserror::Error;
use topic_match::{Subscription, TopicFilter, TopicName};

use super::overlap::{covers, overlap};

/// The rules of a file.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Acl {
    anonymous: Rc<Rules>,
    users: BTreeMap<String, Rc<Rules>>,
    patterns: Vec<Rule>,
}

/// What one client may do: its user's rules first, then the patterns with its names filled in.
#[derive(Debug)]
pub(crate) struct Rights {
    user: Rc<Rules>,
    patterns: Rules,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    Write,
}

/// A line of the file that is none.
#[derive(Debug, PartialEq, Eq, Error)]
#[error("line {line}: {problem}")]
pub(crate) struct InvalidAcl {
    line: usize,
    problem: String,
}

#[derive(Clone, Debug, PartialEq)]
struct Rule {
    grant: Grant,
    filter: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Grant {
    Read,
    Write,
    ReadWrite,
    Deny,
}

#[derive(Debug, Default, PartialEq)]
struct Rules {
    deny: Vec<String>,
    grant: Vec<Rule>,
}

impl Acl {
    pub(crate) fn parse(text: &str) -> Result<Self, InvalidAcl> {
        let mut acl = Self::default();
        let (mut user, mut rules) = (None, Rules::default());
        for (number, line) in (1..).zip(text.lines()) {
            let invalid = |problem: String| InvalidAcl { line: number, problem };
            // As mosquitto reads it: a comment begins in the first column, words are parted by spaces.
            let line = line.trim_end();
            if line.starts_with('#') {
                continue;
            }
            let line = line.trim_start_matches(' ');
            match line.split_once(' ').map_or((line, ""), |(word, rest)| (word, rest.trim())) {
                ("", _) => {}
                ("user", "") => return Err(invalid("user: a user name is missing".into())),
                ("user", name) => {
                    acl.merge(user.replace(name.to_owned()), core::mem::take(&mut rules));
                }
                ("topic", rest) => rules.add(Rule::parse(rest).map_err(invalid)?),
                ("pattern", rest) => acl.patterns.push(Rule::parse(rest).map_err(invalid)?),
                (word, _) => return Err(invalid(format!("`{word}`: expected user, topic or pattern"))),
            }
        }
        acl.merge(user, rules);
        Ok(acl)
    }

    /// The rights of a client. `user` is `None` for an anonymous one.
    pub(crate) fn rights(&self, user: Option<&str>, client_id: &str) -> Rights {
        let rules = match user {
            Some(name) => self.users.get(name).cloned().unwrap_or_default(),
            None => Rc::clone(&self.anonymous),
        };
        let mut patterns = Rules::default();
        // Such a name could turn a pattern into one for others (CVE-2017-7650): no pattern grants it anything.
        let dangerous = [user.unwrap_or_default(), client_id].iter().any(|name| name.contains(['+', '#']));
        if !dangerous {
            self.patterns
                .iter()
                .filter_map(|rule| rule.substitute(user, client_id))
                .for_each(|rule| patterns.add(rule));
        }
        Rights { user: rules, patterns }
    }

    /// Whether there are rules for named users: without a password file anybody can claim such a name.
    pub(crate) fn names_users(&self) -> bool {
        !self.users.is_empty()
    }

    /// A user may have several sections.
    fn merge(&mut self, user: Option<String>, rules: Rules) {
        let section = match user {
            Some(name) => self.users.entry(name).or_default(),
            None => &mut self.anonymous,
        };
        let section = Rc::get_mut(section).expect("nobody has rights from an unfinished list");
        section.deny.extend(rules.deny);
        section.grant.extend(rules.grant);
    }
}

impl Rights {
    /// Whether a message on the topic may be published or received.
    pub(crate) fn allow(&self, access: Access, topic: &str) -> bool {
        let topic = TopicName::assume_valid(topic);
        let verdict =
            |rules: &Rules| rules.judge(|rule| rule.matches(topic), |rule| rule.matches(topic), access);
        verdict(&self.user).or_else(|| verdict(&self.patterns)).unwrap_or(false)
    }

    /// Whether any message that the subscription asks for could be received. A filter that a `deny` covers, or that no
    /// rule for reading meets, is refused at once instead of never delivering anything.
    pub(crate) fn allow_subscription(&self, filter: &str) -> bool {
        let Ok(subscription) = Subscription::parse(filter) else { return false };
        let filter = subscription.filter();
        let verdict = |rules: &Rules| {
            rules.judge(|rule| covers(rule, filter), |rule| overlap(rule, filter), Access::Read)
        };
        verdict(&self.user).or_else(|| verdict(&self.patterns)).unwrap_or(false)
    }

    /// Whether everything that [`allow_subscription`](Self::allow_subscription) lets pass may be received, so that
    /// deliveries need no question: the user may read `#`, nothing is denied, and no rule gives a part of a `$` tree.
    pub(crate) fn reads_all_it_subscribes(&self) -> bool {
        let reads = || {
            self.user.grant.iter().chain(&self.patterns.grant).filter(|rule| rule.grant.gives(Access::Read))
        };
        let whole_tree = |filter: &str| {
            !filter.starts_with('$') || filter.find('/').is_some_and(|at| &filter[at..] == "/#")
        };
        self.user.deny.is_empty()
            && self.patterns.deny.is_empty()
            && reads().any(|rule| rule.filter == "#")
            && reads().all(|rule| whole_tree(&rule.filter))
    }
}

impl Rules {
    fn add(&mut self, rule: Rule) {
        match rule.grant {
            Grant::Deny => self.deny.push(rule.filter),
            _ => self.grant.push(rule),
        }
    }

    /// Denials go before grants; `None` when no rule says anything.
    fn judge(
        &self,
        denied: impl Fn(TopicFilter<'_>) -> bool,
        granted: impl Fn(TopicFilter<'_>) -> bool,
        access: Access,
    ) -> Option<bool> {
        if self.deny.iter().any(|filter| denied(TopicFilter::assume_valid(filter))) {
            return Some(false);
        }
        let grants =
            |rule: &Rule| rule.grant.gives(access) && granted(TopicFilter::assume_valid(&rule.filter));
        self.grant.iter().any(grants).then_some(true)
    }
}

impl Rule {
    /// `[read|write|readwrite|deny] filter`. A single word is a filter, even if it looks like an access.
    fn parse(text: &str) -> Result<Self, String> {
        let (grant, filter) = match text.split_once(' ') {
            None => (Grant::ReadWrite, text),
            Some(("read", filter)) => (Grant::Read, filter),
            Some(("write", filter)) => (Grant::Write, filter),
            Some(("readwrite", filter)) => (Grant::ReadWrite, filter),
            Some(("deny", filter)) => (Grant::Deny, filter),
            Some((word, _)) => return Err(format!("`{word}`: expected read, write, readwrite or deny")),
        };
        let filter = filter.trim();
        TopicFilter::new(filter).map_err(|error| format!("`{filter}`: {error}"))?;
        Ok(Self { grant, filter: filter.to_owned() })
    }

    /// A pattern with `%c` and `%u` filled in, or nothing when it does not apply to the client.
    fn substitute(&self, user: Option<&str>, client_id: &str) -> Option<Self> {
        let uses_name =
            |placeholder, name: &str, text| self.filter.contains(placeholder) && name.contains::<char>(text);
        if self.filter.contains("%u") && user.is_none() {
            return None;
        }
        let user = user.unwrap_or_default();
        // A name with `/` would reach into the levels of another one: it may be denied things, but granted nothing.
        if self.grant != Grant::Deny && (uses_name("%u", user, '/') || uses_name("%c", client_id, '/')) {
            return None;
        }
        let mut filter = String::with_capacity(self.filter.len() + client_id.len() + user.len());
        let mut rest = self.filter.as_str();
        while let Some(at) = rest.find('%') {
            filter.push_str(&rest[..at]);
            let (name, length) = match rest.as_bytes().get(at + 1) {
                Some(b'c') => (client_id, 2),
                Some(b'u') => (user, 2),
                _ => ("%", 1),
            };
            filter.push_str(name);
            rest = &rest[at + length..];
        }
        filter.push_str(rest);
        TopicFilter::new(&filter).is_ok().then_some(Self { grant: self.grant, filter })
    }
}

impl Grant {
    fn gives(self, access: Access) -> bool {
        matches!(
            (self, access),
            (Self::ReadWrite, _) | (Self::Read, Access::Read) | (Self::Write, Access::Write)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rights(file: &str, user: Option<&str>, client_id: &str) -> Rights {
        Acl::parse(file).unwrap().rights(user, client_id)
    }

    /// Which of the topics may be read, and which written.
    fn allowed<'a>(rights: &Rights, topics: &[&'a str]) -> (Vec<&'a str>, Vec<&'a str>) {
        let of = |access| topics.iter().copied().filter(|topic| rights.allow(access, topic)).collect();
        (of(Access::Read), of(Access::Write))
    }

    const FILE: &str = "\
# first: clients without a user name
topic read news/#
user alice
topic readwrite home/#
topic deny home/safe/+
topic write log
user bob smith
topic open/to/all
user alice
topic read extra
pattern read clients/%c/in
pattern write users/%u/#
";

    #[test]
    fn sections_belong_to_their_users() {
        let topics = ["news/today", "home/door", "home/safe/code", "log", "extra", "open/to/all", "topic"];
        assert_eq!(allowed(&rights(FILE, None, "c"), &topics), (vec!["news/today"], vec![]));
        assert_eq!(
            allowed(&rights(FILE, Some("alice"), "c"), &topics),
            (vec!["home/door", "extra"], vec!["home/door", "log"]),
            "two sections of one user add up; deny wins wherever it stands; `a` is no access, so the line is refused"
        );
        assert_eq!(allowed(&rights(FILE, Some("bob smith"), "c"), &topics).0, vec!["open/to/all"]);
        assert_eq!(allowed(&rights(FILE, Some("carol"), "c"), &topics), (vec![], vec![]));
    }

    #[test]
    fn patterns_hold_for_everybody() {
        let topics = ["clients/c1/in", "clients/c2/in", "users/alice/x", "users/carol/x", "users//x"];
        assert_eq!(
            allowed(&rights(FILE, Some("carol"), "c1"), &topics),
            (vec!["clients/c1/in"], vec!["users/carol/x"])
        );
        assert_eq!(
            allowed(&rights(FILE, None, "c2"), &topics),
            (vec!["clients/c2/in"], vec![]),
            "%u needs a user name"
        );
    }

    #[test]
    fn hostile_names_do_not_widen_a_pattern() {
        let topics = ["clients/c/in", "clients/x/in", "clients/a/b/in", "users/alice/x", "users/a/b/x"];
        for name in ["+", "#", "c+", "#/x", "a/b", "a/#"] {
            assert_eq!(
                allowed(&rights(FILE, None, name), &topics),
                (vec![], vec![]),
                "client identifier {name}"
            );
            assert_eq!(
                allowed(&rights(FILE, Some(name), name), &topics),
                (vec![], vec![]),
                "user name {name}"
            );
        }
        let deny = "topic readwrite other\npattern readwrite in/%u\npattern deny in/%c";
        assert!(!rights(deny, Some("u"), "u").allow(Access::Read, "in/u"), "patterns deny before they grant");
        assert!(
            rights(deny, Some("u"), "%u").allow(Access::Read, "in/u"),
            "what was filled in is not filled in again"
        );
        assert!(!rights("pattern read %c/%d%", None, "c").allow(Access::Read, "c/%c%"));
        assert!(rights("pattern read %c/%d%", None, "c").allow(Access::Read, "c/%d%"), "other signs stay");
    }

    #[test]
    fn dollar_topics_need_rules_of_their_own() {
        let all = rights("topic readwrite #\n", None, "c");
        assert!(all.allow(Access::Write, "any/thing") && !all.allow(Access::Read, "$SYS/broker/version"));
        let system = rights("topic readwrite #\ntopic read $SYS/#\n", None, "c");
        assert!(
            system.allow(Access::Read, "$SYS/broker/version")
                && !system.allow(Access::Write, "$SYS/broker/version")
        );
    }

    #[test]
    fn hopeless_subscriptions_are_refused() {
        let rights = rights(
            "topic readwrite home/#\ntopic deny home/safe/#\ntopic write log/#\npattern read in/%c",
            None,
            "me",
        );
        for filter in ["home/#", "home/+/code", "+/door", "#", "in/me", "in/+", "$share/group/home/door"] {
            assert!(rights.allow_subscription(filter), "{filter}");
        }
        for filter in
            ["home/safe/#", "home/safe/+", "log/#", "in/you", "$SYS/#", "$share/group/log/x", "$share/g"]
        {
            assert!(!rights.allow_subscription(filter), "{filter}");
        }
    }

    #[test]
    fn deliveries_go_unchecked_only_when_nothing_could_be_refused() {
        for (file, expected) in [
            ("topic readwrite #", true),
            ("topic read #\ntopic $SYS/#", true),
            ("topic read #\ntopic write $SYS/broker/x", true),
            ("topic read #\ntopic read $SYS/broker/uptime", false),
            ("topic read #\ntopic deny a", false),
            ("topic read #\npattern deny a/%c", false),
            ("topic write #", false),
            ("pattern read #", true),
            ("topic read a/#", false),
            ("", false),
        ] {
            assert_eq!(rights(file, None, "c").reads_all_it_subscribes(), expected, "{file}");
        }
    }

    #[test]
    fn errors_name_the_line() {
        for (file, message) in [
            ("\nuser\n", "line 2: user: a user name is missing"),
            ("topic read a/#/b\n", "line 1: `a/#/b`: "),
            ("# x\n\ntopic write\n topic all a\n", "line 4: `all`: expected read, write, readwrite or deny"),
            ("topics a", "line 1: `topics`: expected user, topic or pattern"),
            ("topic", "line 1: ``: "),
        ] {
            let error = Acl::parse(file).unwrap_err().to_string();
            assert!(error.starts_with(message), "{error}");
        }
    }
}
