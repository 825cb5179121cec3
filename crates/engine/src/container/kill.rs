//! `kill`: one signal.

use crate::Services;
use ::events::ContainerAction;
use containers::State;
use errors::{Class, Error, Result};
use std::sync::Arc;

/// Sends a signal, by default `SIGKILL`, to the init process.
///
/// # Errors
/// `Invalid` for an unknown signal, `Conflict` when the container does not run.
pub async fn kill(services: &Arc<Services>, reference: &str, signal: Option<&str>) -> Result<()> {
    send(services, reference, signal)
        .await
        .map_err(|error| error.context(format!("cannot kill container: {reference}")))
}

async fn send(services: &Arc<Services>, reference: &str, signal: Option<&str>) -> Result<()> {
    let container = services.containers.find(reference)?;
    let number = signal_number(signal.unwrap_or("SIGKILL"))?;
    let Some(task) = container.task().filter(|_| container.state().is_live()) else {
        return Err(Error::new(Class::Conflict, format!("container {} is not running", container.id())));
    };
    let stops = number == 9 || Some(number) == stop_signal(&container.record().spec.process);
    if stops {
        services.containers.note(&container, |record| record.stopped_by_user = true).await?;
    }
    if number == 9 {
        let mut notices = container.watch();
        let exits = notices.borrow_and_update().exits;
        task.kill(9, false).await.map_err(|error| super::failed_call(&container, error))?;
        if matches!(container.state(), State::Paused { .. }) {
            let _ = task.resume().await;
        }
        publish(services, &container, number);
        // As docker does: who killed sees the container dead afterwards, unless the kernel takes long.
        let ended = notices.wait_for(|notice| notice.exits > exits);
        let _ = tokio::time::timeout(std::time::Duration::from_secs(10), ended).await;
    } else {
        task.kill(number, false).await.map_err(|error| super::failed_call(&container, error))?;
        publish(services, &container, number);
    }
    Ok(())
}

/// Tells of a signal that was sent.
pub(super) fn publish(services: &Services, container: &containers::Container, number: i32) {
    let action = ContainerAction::Kill { signal: number };
    services.events.publish(super::event(&action, &container.record()));
}

fn stop_signal(process: &spec::Process) -> Option<i32> {
    signal_number(process.stop_signal.as_deref().unwrap_or("SIGTERM")).ok()
}

/// The number of a signal given as `9`, `KILL`, `SIGKILL` or `SIGRTMIN+3`.
///
/// # Errors
/// `Invalid` for anything else.
pub(crate) fn signal_number(text: &str) -> Result<i32> {
    let bad = || Error::new(Class::Invalid, format!("invalid signal: {text}"));
    if let Ok(number) = text.parse::<i32>() {
        return match number {
            1..=64 => Ok(number),
            0 => Err(bad()),
            _ => {
                Err(Error::new(Class::Invalid, format!("the linux daemon does not support signal {number}")))
            }
        };
    }
    let upper = text.to_ascii_uppercase();
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    if let Some(position) = SIGNALS.iter().position(|known| *known == name) {
        return i32::try_from(position + 1).map_err(|_| bad());
    }
    match name {
        "IOT" => Ok(6),
        "CLD" => Ok(17),
        "POLL" => Ok(29),
        "RTMIN" => Ok(34),
        "RTMAX" => Ok(64),
        _ => {
            let offset = |prefix: &str| name.strip_prefix(prefix).and_then(|rest| rest.parse::<i32>().ok());
            match (offset("RTMIN+"), offset("RTMAX-")) {
                (Some(n @ 1..=30), _) => Ok(34 + n),
                (_, Some(n @ 1..=30)) => Ok(64 - n),
                _ => Err(bad()),
            }
        }
    }
}

/// `signal(7)`'s names in the order of their numbers on x86-64 and arm64, from 1.
const SIGNALS: [&str; 31] = [
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE",
    "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ",
    "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
];

#[cfg(test)]
mod tests {
    use super::signal_number;

    #[test]
    fn signals_by_number_name_and_offset() {
        for (text, number) in [
            ("9", 9),
            ("KILL", 9),
            ("SIGTERM", 15),
            ("sigusr1", 10),
            ("WINCH", 28),
            ("SIGRTMIN+3", 37),
            ("RTMAX-1", 63),
        ] {
            assert_eq!(signal_number(text).unwrap(), number, "{text}");
        }
        for text in ["0", "65", "", "SIGFOO", "-9", "RTMIN+31"] {
            assert!(signal_number(text).is_err(), "{text}");
        }
    }
}
