//! Other people's brokers, each on a port of 127.0.0.1, ended when the test ends.

use std::env;
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

pub(crate) struct Foreign {
    child: Child,
    pub(crate) port: String,
    _folder: tempfile::TempDir,
}

impl Foreign {
    pub(crate) fn mosquitto() -> Self {
        Self::start(|port, folder| {
            let file = folder.join("mosquitto.conf");
            fs::write(&file, format!("listener {port} 127.0.0.1\nallow_anonymous true\n")).unwrap();
            let mut command = Command::new("mosquitto");
            let path = env::var("PATH").unwrap_or_default();
            command.env("PATH", format!("{path}:/usr/sbin:/usr/local/sbin")).arg("-c").arg(file);
            command
        })
    }

    /// Speaks 3.1.1.
    pub(crate) fn amqtt() -> Self {
        Self::start(|port, _| {
            let mut command = Command::new(tool("M2M_PYTHON", ".ci/venv/bin/python"));
            command.env("PYTHONDONTWRITEBYTECODE", "1").arg(script("amqtt_broker.py")).arg(port);
            command
        })
    }

    /// Speaks 3.1 and 3.1.1.
    pub(crate) fn aedes() -> Self {
        Self::start(|port, _| {
            let mut command = Command::new("node");
            command.env("M2M_NODE_MODULES", tool("M2M_NODE_MODULES", ".ci/node/node_modules"));
            command.arg(script("aedes_broker.mjs")).arg(port);
            command
        })
    }

    fn start(command: impl FnOnce(&str, &Path) -> Command) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port().to_string();
        drop(free);
        let folder = tempfile::tempdir().unwrap();
        let mut command = command(&port, folder.path());
        // Its standard input ends with this process, however that ends.
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let foreign = Self { child: command.spawn().unwrap(), port, _folder: folder };
        let start = Instant::now();
        while TcpStream::connect(format!("127.0.0.1:{}", foreign.port)).is_err() {
            assert!(start.elapsed() < Duration::from_secs(30), "{command:?} does not listen");
            thread::sleep(Duration::from_millis(20));
        }
        foreign
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/client_peers").join(name)
}

fn tool(variable: &str, default: &str) -> PathBuf {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    env::var_os(variable).map_or_else(|| workspace.join(default), PathBuf::from)
}
