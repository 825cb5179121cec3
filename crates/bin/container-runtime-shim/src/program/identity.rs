//! Whom an exec's process becomes in a container with a user namespace of its own.
//!
//! libcontainer joins every namespace of the container's for an exec but this one. So its process stays the host's root,
//! whom nobody in the container can touch, until its last step, and becomes the container's user here.

use libcontainer::capabilities;
use libcontainer::syscall::syscall::create_syscall;
use rustix::process::{Gid, Uid};
use rustix::thread::{
    LinkNameSpaceType, move_into_link_name_space, set_keep_capabilities, set_thread_groups,
    set_thread_res_gid, set_thread_res_uid,
};
use std::os::fd::{AsFd, OwnedFd};

/// A user namespace, and ids in it.
#[derive(Debug)]
pub(crate) struct Identity {
    pub(crate) namespace: OwnedFd,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) groups: Vec<u32>,
}

impl Identity {
    /// Makes this process, which has one thread, that user, still with every capability in the user namespace.
    pub(super) fn assume(&self) -> Result<(), String> {
        let failed = |doing: &'static str| move |error| format!("{doing}: {error}");
        move_into_link_name_space(self.namespace.as_fd(), Some(LinkNameSpaceType::User))
            .map_err(failed("join the container's user namespace"))?;
        let groups: Vec<Gid> = self.groups.iter().map(|gid| Gid::from_raw(*gid)).collect();
        set_thread_groups(&groups).map_err(failed("set the supplementary groups"))?;
        set_keep_capabilities(true).map_err(failed("keep capabilities"))?;
        let (uid, gid) = (Uid::from_raw(self.uid), Gid::from_raw(self.gid));
        set_thread_res_gid(gid, gid, gid).map_err(failed("set the group"))?;
        set_thread_res_uid(uid, uid, uid).map_err(failed("set the user"))?;
        capabilities::reset_effective(create_syscall().as_ref())
            .map_err(|error| format!("reset capabilities: {}", errors::chain(&error)))
    }
}
