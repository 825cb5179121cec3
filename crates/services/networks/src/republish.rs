//! Ports of a container that goes on: other ones, or the same ones by another of its networks.

use crate::live::Live;
use crate::ports::{Wanted, are_met_by, wanted};
use crate::publish::{holder_of, reflect, usual_host};
use crate::{Driver, Endpoint, Networks, PluggedError, Published, Result, default_route};
use net::Elements;
use spec::PortBinding;
use std::sync::Arc;

impl Networks {
    /// Brings the published ports of a running container to what `bindings` ask for, and leads them to that of its endpoints which its
    /// default route leaves by. What is still asked for goes on as it was, ports that the engine chose too. Answers the endpoints as they
    /// are then.
    ///
    /// # Errors
    /// As [`Networks::publish`]; [`PluggedError::Fixed`] where plugins would have to lead other ports than from the start on. The ports are as they were then.
    pub async fn republish(
        self: &Arc<Self>,
        endpoints: Vec<Endpoint>,
        bindings: &[PortBinding],
        name_of: impl Fn(&Endpoint) -> String + Send + 'static,
    ) -> Result<Vec<Endpoint>> {
        let wanted = wanted(bindings);
        let holder =
            endpoints.iter().find(|endpoint| endpoint.plugged && !endpoint.ports.is_empty()).cloned();
        let main = default_route(&endpoints)
            .filter(|_| holder.is_none())
            .map(|main| (main.id.clone(), main.network_id.clone()));
        // Nothing is published where a container reaches the world without this host's doing.
        let main = main.map(|(id, network)| Ok::<_, crate::Error>((id, self.find_live(network.as_str())?)));
        let main = main.transpose()?;
        if let Some((_, live)) = main.as_ref().filter(|_| !wanted.is_empty())
            && live.record.driver == Driver::Cni
        {
            return Err(PluggedError::Fixed { network: live.record.name.clone() }.into());
        }
        let main = main.filter(|(_, live)| live.bridged.is_some());
        let this = Arc::clone(self);
        offload::blocking(move || {
            let mut after = endpoints.clone();
            if let Some(holder) = &holder
                && !are_met_by(&wanted, &holder.ports)
            {
                return Err(PluggedError::Fixed { network: holder.network.clone() }.into());
            }
            // What plugins lead they lead from the start to the end.
            after.iter_mut().filter(|endpoint| !endpoint.plugged).for_each(|endpoint| endpoint.ports.clear());
            let mut ports = this.ports.lock();
            if let Some((id, live)) = &main
                && let Some(target) = after.iter_mut().find(|endpoint| endpoint.id == *id)
            {
                let present: Vec<Published> = endpoints.iter().flat_map(|one| &one.ports).copied().collect();
                let holder = |one: &Published| holder_of(&this.attached, &target.container, one, &name_of);
                target.ports = ports.find(target, &wanted, usual_host(&live.record), &present, &holder)?;
                reflect_on(live, target, &wanted);
            }
            this.exchange(&ports, &endpoints, &after)?;
            let mut attached = this.attached.lock();
            let mut over = Vec::new();
            for endpoint in &after {
                match attached.get_mut(&endpoint.id) {
                    Some(known) => known.ports.clone_from(&endpoint.ports),
                    None => over.push(endpoint),
                }
            }
            drop(attached);
            // The container ended meanwhile: nobody else takes them back.
            for endpoint in over.into_iter().filter(|endpoint| !endpoint.plugged) {
                this.write_ports(endpoint, &endpoint.ports, Elements::remove)?;
            }
            Ok(after)
        })
        .await
    }

    /// Takes out what goes, then puts in what comes, since both may be ports of the host that are the same.
    fn exchange(&self, held: &crate::ports::Ports, before: &[Endpoint], after: &[Endpoint]) -> Result<()> {
        for (old, new) in before.iter().zip(after) {
            self.write_ports(old, &without(&old.ports, &new.ports), Elements::remove)?;
        }
        for (number, (old, new)) in before.iter().zip(after).enumerate() {
            let Err(error) = self.add_ports(held, new, &without(&new.ports, &old.ports)) else { continue };
            for (old, new) in before.iter().zip(after).take(number) {
                self.write_ports(new, &without(&new.ports, &old.ports), Elements::remove)?;
            }
            for (old, new) in before.iter().zip(after) {
                self.add_ports(held, old, &without(&old.ports, &new.ports))?;
            }
            return Err(error);
        }
        Ok(())
    }
}

fn reflect_on(live: &Live, target: &Endpoint, wanted: &[Wanted]) {
    if let Some(bridged) = live.bridged.as_ref().filter(|_| !wanted.is_empty()) {
        reflect(&bridged.host, target);
    }
}

fn without(some: &[Published], others: &[Published]) -> Vec<Published> {
    some.iter().filter(|one| !others.contains(one)).copied().collect()
}
