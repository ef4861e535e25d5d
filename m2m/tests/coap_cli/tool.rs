//! The program, run to its end.

use std::process::{Child, Output, Stdio};

use crate::support::{feed, m2m};

/// How a run has ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }
}

impl Ended {
    #[track_caller]
    pub(crate) fn with(&self, code: i32, stdout: &str) -> &Self {
        assert_eq!((self.code, self.stdout.as_str()), (code, stdout), "{}", self.stderr);
        self
    }

    #[track_caller]
    pub(crate) fn saying(&self, parts: &[&str]) -> &Self {
        for part in parts {
            assert!(self.stderr.contains(part), "`{part}` is not in: {}", self.stderr);
        }
        self
    }
}

/// `m2m coap ARGUMENTS`.
pub(crate) fn start(arguments: &[&str]) -> Child {
    m2m().arg("coap").args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

pub(crate) fn end(child: Child) -> Ended {
    child.wait_with_output().unwrap().into()
}

pub(crate) fn run(arguments: &[&str]) -> Ended {
    end(start(arguments))
}

pub(crate) fn run_with_input(arguments: &[&str], input: &[u8]) -> Ended {
    let mut command = m2m();
    command.arg("coap").args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    feed(&mut child, input);
    end(child)
}
