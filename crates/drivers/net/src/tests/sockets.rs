//! Requests and answers.

use super::*;
use crate::Error;

#[test]
fn a_refusal_says_what_was_asked_and_why() {
    let Some(host) = namespace() else { return };
    let refused = host.with_socket(|socket| socket.batch(vec![link::up(4711, "ghost"), link::up(1, "lo")]));
    let error = refused.unwrap_err();
    assert!(errors::chain(&error).starts_with("put the device ghost up"), "{error}");
    assert!(error.is_gone());
    // The socket is in step again.
    assert!(host.with_socket(|socket| link::get(socket, "lo")).unwrap().up);
}

#[test]
fn devices_that_are_not_there_are_no_failure_where_that_is_wanted() {
    let Some(host) = namespace() else { return };
    assert_eq!(host.with_socket(|socket| link::find(socket, "ghost")).unwrap(), None);
    assert!(matches!(host.with_socket(|socket| link::get(socket, "ghost")), Err(Error::NoDevice { .. })));
    host.with_socket(|socket| link::delete(socket, "ghost")).unwrap();
}

#[test]
fn a_long_list_comes_whole() {
    let Some(site) = Site::new("b0", &[]) else { return };
    let many: Vec<Namespace> = (0..40).map(|n| site.container(&format!("veth{n}"), &[], &[])).collect();
    let ports = site.host.with_socket(|socket| site.bridge.ports(socket)).unwrap();
    assert_eq!(ports.len(), many.len());
    assert_eq!(devices(&site.host).len(), many.len() + 2);
}

#[test]
fn bad_names_are_refused_before_the_kernel_sees_them() {
    for bad in ["", ".", "..", "a/b", "a b", "sixteen-letters0", "ü"] {
        assert!(matches!(link::check_name(bad), Err(Error::BadName { .. })), "{bad}");
    }
    link::check_name("ctr0123abcd").unwrap();
}
