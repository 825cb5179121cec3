//! Why a start failed: remembered, and told in docker's words.

use crate::Services;
use containers::{Container, Event};
use errors::{Class, Error};

/// Remembers why a start failed, and gives the error docker's form and the exit code that stands for it.
pub(super) async fn remember(services: &Services, container: &Container, error: Error) -> Error {
    let text = error.to_string();
    let code = exit_code(&text);
    let error = if code == 128 {
        error
    } else {
        // Seen by the docker CLI: it turns this text into its own exit code.
        Error::new(
            Class::Invalid,
            format!(
                "failed to create task for container: failed to create shim task: OCI runtime create failed: \
                 unable to start container process: {text}: unknown"
            ),
        )
    };
    let event = Event::StartFailed { code, message: error.to_string() };
    if let Err(error) = services.containers.advance(container, event, |_| {}).await {
        tracing::warn!(container = %container.id(), %error, "store the failed start");
    }
    error
}

/// 127: the program was not found; 126: it can't be executed; 128: anything else. As docker's CLI reads them.
pub(crate) fn exit_code(message: &str) -> u8 {
    let message = message.to_lowercase();
    let has = |texts: &[&str]| texts.iter().any(|text| message.contains(text));
    let not_found =
        has(&["executable file not found", "no such file or directory: unknown", "not a directory"])
            || (has(&["exec:", "chdir to cwd"]) && has(&["no such file or directory"]));
    if not_found {
        127
    } else if has(&["permission denied", "exec format error", "is a directory"])
        && has(&["exec", "chdir to cwd"])
    {
        126
    } else {
        128
    }
}

#[cfg(test)]
mod tests {
    use super::exit_code;

    #[test]
    fn start_failures_have_the_shells_codes() {
        assert_eq!(exit_code("exec: \"x\": executable file not found in $PATH"), 127);
        assert_eq!(exit_code("exec: \"/x\": no such file or directory"), 127);
        assert_eq!(exit_code("chdir to cwd set in config.json failed: no such file or directory"), 127);
        assert_eq!(exit_code("chdir to cwd (\"/etc/passwd\"): not a directory"), 127);
        assert_eq!(exit_code("exec: \"/etc\": permission denied"), 126);
        assert_eq!(exit_code("exec /x: exec format error"), 126);
        assert_eq!(exit_code("mount overlay: no space left on device"), 128);
    }
}
