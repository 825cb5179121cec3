//! What many tests do with containers and networks, in a line.

use crate::TestEngine;

impl TestEngine {
    /// Runs a container of busybox that sleeps.
    #[track_caller]
    pub fn sleeper(&self, name: &str, options: &[&str]) {
        let run = ["run", "-d", "--name", name];
        self.docker(&[&run[..], options, &["busybox", "sleep", "600"]].concat()).ok();
    }

    /// What a script prints in a container.
    #[track_caller]
    pub fn shell(&self, container: &str, script: &str) -> String {
        self.docker(&["exec", container, "sh", "-c", script]).ok()
    }

    /// A container's IPv4 address on a network.
    #[track_caller]
    pub fn address(&self, container: &str, network: &str) -> String {
        let field = format!("{{{{(index .NetworkSettings.Networks \"{network}\").IPAddress}}}}");
        self.inspect(container, &field)
    }

    /// Removes containers, then networks.
    #[track_caller]
    pub fn remove(&self, containers: &[&str], networks: &[&str]) {
        self.docker(&[&["rm", "-f"], containers].concat()).ok();
        self.docker(&[&["network", "rm"], networks].concat()).ok();
    }
}
