//! What follows from the facts.

use super::Flaw;
use super::gather::{Bridge, Device, Facts};
use net::Element;
use net::firewall::Outline;
use std::collections::{BTreeMap, BTreeSet};

/// Every disagreement among the facts.
pub(super) fn compare(facts: &Facts) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    bridges(facts, &mut flaws);
    devices(facts, &mut flaws);
    let own = |one: &crate::Endpoint| [one.ipv4, one.ipv6].map(|own| own.map(|own| own.address));
    let had = facts
        .endpoints
        .iter()
        .flat_map(|one| own(one).into_iter().flatten().map(|own| (&one.network_id, own)));
    let had: BTreeSet<_> = had.collect();
    for (id, network, address) in &facts.given {
        if !had.contains(&(id, *address)) {
            flaws.push(Flaw::AddressStray { network: network.clone(), address: *address });
        }
    }
    if let Some((expected, present)) = &facts.filter {
        filter(expected, present.as_ref(), &mut flaws);
    }
    let strays = facts.pins.difference(&facts.pinned);
    flaws.extend(strays.map(|path| Flaw::NamespaceStray { path: path.clone() }));
    flaws
}

fn bridges(facts: &Facts, flaws: &mut Vec<Flaw>) {
    for bridge in &facts.bridges {
        let whole = |device: &Device| {
            let has = |address| device.addresses.contains(address);
            device.up && device.alias.as_deref() == Some(&facts.mark) && bridge.addresses.iter().all(has)
        };
        if !facts.devices.get(&bridge.name).is_some_and(whole) {
            let (network, bridge) = (bridge.network.clone(), bridge.name.clone());
            flaws.push(Flaw::BridgeMissing { network, bridge });
        }
    }
    if facts.changing {
        return;
    }
    let known = facts.bridges.iter().map(|bridge| &bridge.name).chain(&facts.busy).chain(&facts.parents);
    let strays = strays(&facts.mark, &facts.devices, &known.map(String::as_str).collect());
    flaws.extend(strays.into_iter().map(|device| Flaw::BridgeStray { device: device.to_owned() }));
}

/// Devices with this engine's mark that none of its networks has.
pub(crate) fn strays<'a>(
    mark: &str,
    devices: &'a BTreeMap<String, Device>,
    known: &BTreeSet<&str>,
) -> Vec<&'a str> {
    let marked = devices.iter().filter(|(_, device)| device.alias.as_deref() == Some(mark));
    marked.map(|(name, _)| name.as_str()).filter(|name| !known.contains(name)).collect()
}

fn devices(facts: &Facts, flaws: &mut Vec<Flaw>) {
    let by_name: BTreeMap<&str, &Bridge> =
        facts.bridges.iter().map(|bridge| (bridge.name.as_str(), bridge)).collect();
    let owned: BTreeSet<&str> = facts.endpoints.iter().filter_map(|one| one.host_device.as_deref()).collect();
    for (name, device) in &facts.devices {
        let bridge = device.master.as_deref().and_then(|master| by_name.get(master));
        if let Some(bridge) = bridge
            && !owned.contains(name.as_str())
            && !facts.going.contains(name)
        {
            flaws.push(Flaw::DeviceStray { device: name.clone(), bridge: bridge.name.clone() });
        }
    }
    for endpoint in &facts.endpoints {
        let Some(bridge) = facts.bridges.iter().find(|bridge| bridge.id == endpoint.network_id) else {
            continue;
        };
        let Some(name) = &endpoint.host_device else { continue };
        let on_it = |device: &Device| device.master.as_deref() == Some(&bridge.name);
        if !facts.devices.get(name).is_some_and(on_it) {
            flaws.push(Flaw::DeviceMissing(Box::new(endpoint.clone())));
        }
    }
}

fn filter(expected: &Outline, present: Option<&Outline>, flaws: &mut Vec<Flaw>) {
    let Some(present) = present else {
        flaws.push(Flaw::FilterOther { how: "it is not there".to_owned() });
        return;
    };
    let mut how = differences("the chain", "rules", &expected.rules, &present.rules);
    how.extend(differences("the set", "elements", &expected.members, &present.members));
    if !how.is_empty() {
        flaws.push(Flaw::FilterOther { how: how.join("; ") });
    }
    let missing = beyond(&expected.ports, &present.ports);
    if missing > 0 {
        flaws.push(Flaw::PortsMissing { count: missing });
    }
    let strays = beyond(&present.ports, &expected.ports);
    if strays > 0 {
        flaws.push(Flaw::PortsStray { count: strays });
    }
}

fn differences(
    what: &str,
    of: &str,
    expected: &BTreeMap<String, usize>,
    present: &BTreeMap<String, usize>,
) -> Vec<String> {
    let names: BTreeSet<&String> = expected.keys().chain(present.keys()).collect();
    let count = |of: &BTreeMap<String, usize>, name: &String| of.get(name).copied().unwrap_or_default();
    let counts = names.into_iter().map(|name| (name, count(expected, name), count(present, name)));
    let other = counts.filter(|(_, wanted, found)| wanted != found);
    other.map(|(name, wanted, found)| format!("{what} {name} has {found} {of}, not {wanted}")).collect()
}

/// How many elements `some` has that `others` has not.
fn beyond(some: &BTreeMap<String, BTreeSet<Element>>, others: &BTreeMap<String, BTreeSet<Element>>) -> usize {
    let empty = BTreeSet::new();
    some.iter().map(|(map, elements)| elements.difference(others.get(map).unwrap_or(&empty)).count()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Assigned, Endpoint};

    const MARK: &str = "engine-1";

    fn endpoint() -> Endpoint {
        let address = "10.0.0.2".parse().unwrap();
        Endpoint {
            host_device: Some("veth1".into()),
            ipv4: Some(Assigned { address, prefix: 24, gateway: None, by_device: false }),
            ..Endpoint::for_tests()
        }
    }

    /// One network with one container, and nothing wrong.
    fn sound() -> Facts {
        let one = endpoint();
        let gateway = "10.0.0.1".parse().unwrap();
        let bridge = Bridge {
            network: "web".into(),
            id: one.network_id.clone(),
            name: "br-1".into(),
            addresses: vec![gateway],
        };
        let device = |alias: Option<&str>, master: Option<&str>, addresses| Device {
            alias: alias.map(str::to_owned),
            master: master.map(str::to_owned),
            up: true,
            addresses,
        };
        let elements = BTreeSet::from([Element::new().key(&[6])]);
        let outline = Outline {
            rules: [("forward".to_owned(), 2)].into(),
            members: [("bridges".to_owned(), 1)].into(),
            ports: [("ports4".to_owned(), elements)].into(),
        };
        Facts {
            mark: MARK.into(),
            bridges: vec![bridge],
            parents: ["vlan7".to_owned()].into(),
            given: vec![(one.network_id.clone(), "web".into(), one.ipv4.unwrap().address)],
            endpoints: vec![one],
            devices: [
                ("eth0".to_owned(), device(None, None, vec!["192.0.2.1".parse().unwrap()])),
                ("br-1".to_owned(), device(Some(MARK), None, vec![gateway])),
                ("vlan7".to_owned(), device(Some(MARK), None, vec![])),
                ("veth1".to_owned(), device(None, Some("br-1"), vec![])),
                ("docker0".to_owned(), device(Some("another"), None, vec![])),
                ("veth9".to_owned(), device(None, Some("docker0"), vec![])),
            ]
            .into(),
            filter: Some((outline.clone(), Some(outline))),
            pins: ["/run/netns/1".into()].into(),
            pinned: ["/run/netns/1".into()].into(),
            ..Facts::default()
        }
    }

    /// What is found once the facts were changed.
    #[track_caller]
    fn found(change: impl FnOnce(&mut Facts)) -> Vec<Flaw> {
        assert_eq!(compare(&sound()), []);
        let mut facts = sound();
        change(&mut facts);
        compare(&facts)
    }

    fn present(facts: &mut Facts) -> &mut Outline {
        facts.filter.as_mut().unwrap().1.as_mut().unwrap()
    }

    #[test]
    fn each_disagreement_has_its_name() {
        let missing = || vec![Flaw::BridgeMissing { network: "web".into(), bridge: "br-1".into() }];
        assert_eq!(found(|facts| facts.devices.get_mut("br-1").unwrap().addresses.clear()), missing());
        assert_eq!(found(|facts| facts.devices.get_mut("br-1").unwrap().up = false), missing());
        let lost = || vec![Flaw::DeviceMissing(Box::new(endpoint()))];
        assert_eq!(found(|facts| drop(facts.devices.remove("veth1"))), lost());
        assert_eq!(found(|facts| facts.devices.get_mut("veth1").unwrap().master = None), lost());

        let stray = |device: &str| Flaw::DeviceStray { device: device.into(), bridge: "br-1".into() };
        let add = |facts: &mut Facts, name: &str, like: &str| {
            let device = facts.devices[like].clone();
            facts.devices.insert(name.into(), device);
        };
        assert_eq!(found(|facts| add(facts, "veth2", "veth1")), [stray("veth2")]);
        assert_eq!(found(|facts| add(facts, "br-2", "vlan7")), [Flaw::BridgeStray { device: "br-2".into() }]);

        let address: std::net::IpAddr = "10.0.0.7".parse().unwrap();
        let given = found(|facts| {
            let (id, network, _) = facts.given[0].clone();
            facts.given.push((id, network, address));
        });
        assert_eq!(given, [Flaw::AddressStray { network: "web".into(), address }]);
        let pin = found(|facts| facts.pins.extend(["/run/netns/2".into()]));
        assert_eq!(pin, [Flaw::NamespaceStray { path: "/run/netns/2".into() }]);
    }

    #[test]
    fn the_packet_filter_is_compared_rule_by_rule_and_port_by_port() {
        let how = |how: &str| vec![Flaw::FilterOther { how: how.into() }];
        assert_eq!(found(|facts| facts.filter.as_mut().unwrap().1 = None), how("it is not there"));
        let emptied = found(|facts| present(facts).rules.clear());
        assert_eq!(emptied, how("the chain forward has 0 rules, not 2"));
        let out = found(|facts| present(facts).members.extend([("internal".into(), 1)]));
        assert_eq!(out, how("the set internal has 1 elements, not 0"));
        assert_eq!(found(|facts| present(facts).ports.clear()), [Flaw::PortsMissing { count: 1 }]);
        let more = found(|facts| {
            let other = Element::new().key(&[17]);
            present(facts).ports.insert("ports6".into(), [other].into());
        });
        assert_eq!(more, [Flaw::PortsStray { count: 1 }]);
        assert_eq!(found(|facts| facts.filter = None), []);
    }

    #[test]
    fn what_is_in_progress_is_no_disagreement() {
        let busy = found(|facts| {
            facts.devices.insert("veth2".into(), facts.devices["veth1"].clone());
            facts.devices.remove("veth1");
            facts.bridges.clear();
            facts.busy = ["br-1".to_owned()].into();
            facts.given.clear();
        });
        assert_eq!(busy, []);
        let going = found(|facts| {
            facts.devices.insert("veth2".into(), facts.devices["veth1"].clone());
            facts.going = ["veth2".to_owned()].into();
        });
        assert_eq!(going, []);
        let making = found(|facts| {
            facts.devices.insert("br-2".into(), facts.devices["vlan7"].clone());
            facts.changing = true;
        });
        assert_eq!(making, []);
    }
}
