//! `top`: the processes of a container, by the host's `ps`.

use crate::Services;
use errors::{Class, Error, Result};
use events::ContainerAction;
use std::collections::BTreeSet;
use std::sync::Arc;

/// A table of processes.
#[derive(Debug, Clone, Default)]
pub struct Top {
    /// Column titles.
    pub titles: Vec<String>,
    /// Rows.
    pub processes: Vec<Vec<String>>,
}

/// Runs `ps` with the client's arguments and keeps the rows whose pid is in the container.
///
/// # Errors
/// `Conflict` when it does not run, `Invalid` for arguments that `ps` refuses or that leave out the pid.
pub async fn top(services: &Arc<Services>, reference: &str, ps_args: &str) -> Result<Top> {
    let container = services.containers.find(reference)?;
    let Some(task) = container.task().filter(|_| container.state().is_live()) else {
        return Err(Error::new(Class::Conflict, format!("container {} is not running", container.id())));
    };
    let args = if ps_args.trim().is_empty() { "-ef" } else { ps_args };
    let pids: BTreeSet<u32> = task
        .pids()
        .await
        .map_err(|error| super::failed_call(&container, error))?
        .into_iter()
        .map(|process| process.pid)
        .collect();
    let output =
        tokio::process::Command::new("ps").args(args.split_whitespace()).output().await.map_err(|error| {
            Error::wrap(Class::Unavailable, error).context("run ps").hint("Install the package procps")
        })?;
    if !output.status.success() {
        let message = String::from_utf8_lossy(&output.stderr);
        return Err(Error::new(Class::Invalid, format!("ps: {}", message.trim())));
    }
    let top = parse(&String::from_utf8_lossy(&output.stdout), &pids)?;
    services.events.publish(super::event(&ContainerAction::Top, &container.record()));
    Ok(top)
}

fn parse(text: &str, pids: &BTreeSet<u32>) -> Result<Top> {
    let mut lines = text.lines();
    let titles: Vec<String> = lines.next().unwrap_or_default().split_whitespace().map(String::from).collect();
    let Some(pid_column) = titles.iter().position(|title| title == "PID") else {
        return Err(Error::new(Class::Invalid, "Couldn't find PID field in ps output"));
    };
    let mut processes = Vec::new();
    for line in lines {
        // The last column, the command, may hold blanks.
        let mut fields: Vec<&str> = line.split_whitespace().collect();
        if fields.len() < titles.len() {
            continue;
        }
        let rest = fields.split_off(titles.len() - 1).join(" ");
        fields.push(&rest);
        if fields[pid_column].parse().is_ok_and(|pid| pids.contains(&pid)) {
            processes.push(fields.into_iter().map(String::from).collect());
        }
    }
    Ok(Top { titles, processes })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_other_processes_are_left_out_and_commands_kept_whole() {
        let text = "UID  PID CMD\nroot   1 init\nroot  42 sleep 100 now\n";
        let top = parse(text, &BTreeSet::from([42])).unwrap();
        assert_eq!(top.titles, ["UID", "PID", "CMD"]);
        assert_eq!(top.processes, [["root", "42", "sleep 100 now"]]);
        assert!(parse("CMD\nx\n", &BTreeSet::new()).is_err());
    }
}
