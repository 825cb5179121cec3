//! A container comes to a network, and goes.

use crate::attach::{self, Carrier, Place, Reservation};
use crate::host::Host;
use crate::{Driver, Endpoint, Error, Networks, Result, Sandbox, audit};
use ids::ContainerId;
use net::route::DefaultRoute;
use spec::{EndpointRequest, PortBinding};
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

/// What an attachment is to be.
#[derive(Debug, Clone, Copy)]
pub struct Connection<'a> {
    /// Whose.
    pub container: &'a ContainerId,
    /// Name or id.
    pub network: &'a str,
    /// Under which it is to be found, besides the request's aliases: its name, its short id, its host name.
    pub names: &'a [String],
    /// What the client wants of it.
    pub request: &'a EndpointRequest,
    /// The number of the device inside: `eth0` for 0.
    pub number: usize,
    /// Whether it gets the container's default routes; if not, [`Networks::route`] is to be called in the end.
    pub routed: bool,
    /// Ports that plugins publish; those of other networks are published afterwards ([`Networks::publish`]).
    pub bindings: &'a [PortBinding],
}

/// The endpoint of a container that its default route leaves by, and its published ports lead to.
pub fn default_route<'a>(endpoints: impl IntoIterator<Item = &'a Endpoint>) -> Option<&'a Endpoint> {
    let leads = |endpoint: &&Endpoint| {
        let mut assigned = [endpoint.ipv4, endpoint.ipv6].into_iter().flatten();
        assigned.any(|assigned| assigned.gateway.is_some() || assigned.by_device)
    };
    ranked(endpoints).into_iter().find(leads)
}

/// Endpoints, the one first that a container's default route should leave by: the highest gateway priority, then by name.
pub fn ranked<'a>(endpoints: impl IntoIterator<Item = &'a Endpoint>) -> Vec<&'a Endpoint> {
    let mut ranked: Vec<&Endpoint> = endpoints.into_iter().collect();
    ranked.sort_by_key(|one| (Reverse(one.gateway_priority), &one.network));
    ranked
}

impl Networks {
    /// Attaches a container's namespace to a network. On `none` and `host` no device is made and the endpoint has no address.
    ///
    /// # Errors
    /// `NotFound` for the network, `Invalid` for an address outside its subnet or a bad MAC address, `Conflict` for an
    /// address that is taken, `Unavailable` when no address is left. Nothing is left behind then, nor when the
    /// returned future is dropped.
    pub async fn connect(&self, sandbox: &Sandbox, connection: Connection<'_>) -> Result<Endpoint> {
        let live = self.find_live(connection.network)?;
        let gone = || Error::NotFound { network: connection.network.to_owned() };
        let _held = live.hold().await.ok_or_else(gone)?;
        if live.record.config_only {
            let why = "cannot create endpoint on configuration-only network";
            return Err(Error::Configuration { why });
        }
        let in_host = || Error::HostNamespace { network: live.record.name.clone() };
        if live.record.driver == Driver::Cni {
            let namespace = sandbox.namespace().ok_or_else(in_host)?;
            return self.plug(&live.record, namespace, &connection).await;
        }
        // It was to have IPv6 only.
        if !live.record.enable_ipv4 && !live.record.enable_ipv6 {
            return Err(Error::NoIpv6 { network: live.record.name.clone() });
        }
        let mut endpoint = attach::bare(&live.record, &connection)?;
        let wish = attach::Wish::read(&live.record, connection.request)?;
        if let Some((addresses, carrier)) = live.carrier() {
            let namespace = sandbox.namespace().ok_or_else(in_host)?;
            self.set_up_forwarding().await;
            let place = Place {
                device: format!("eth{}", connection.number),
                routed: connection.routed,
                prepared_ipv6: self.prepared.ipv6,
            };
            let mut reservation = Reservation::new(addresses, carrier, &wish)?;
            let (attached, reservation) = offload::blocking(move || -> Result<_> {
                reservation.attach(&namespace, &place, &mut endpoint)?;
                Ok((endpoint, reservation))
            })
            .await
            .map_err(|error| match error {
                Error::Kernel(net::Error::BridgeFull { .. }) => {
                    Error::Full { network: live.record.name.clone() }
                }
                error => error,
            })?;
            endpoint = attached;
            reservation.keep();
        }
        self.attached.lock().insert(endpoint.id.clone(), endpoint.clone());
        Ok(endpoint)
    }

    /// Leads a container's default routes by the best of its endpoints: the highest gateway priority, then the first by name.
    ///
    /// # Errors
    /// What the kernel refuses.
    pub async fn route(
        &self,
        sandbox: &Sandbox,
        endpoints: impl IntoIterator<Item = &Endpoint>,
    ) -> Result<()> {
        let Some(namespace) = sandbox.namespace() else { return Ok(()) };
        let ranked: Vec<Endpoint> = ranked(endpoints).into_iter().cloned().collect();
        offload::blocking(move || {
            let best = |v4: bool| {
                ranked.iter().find_map(|endpoint| {
                    let assigned = if v4 { endpoint.ipv4 } else { endpoint.ipv6 };
                    let assigned = assigned.filter(|one| one.gateway.is_some() || one.by_device)?;
                    let device = endpoint.device.as_deref()?;
                    Some(DefaultRoute { device, gateway: assigned.gateway, v4 })
                })
            };
            let wanted: Vec<DefaultRoute<'_>> = [best(true), best(false)].into_iter().flatten().collect();
            Ok(net::route::set_defaults(&namespace, &wanted)?)
        })
        .await
    }

    /// Takes a network away from a container that goes on: its device is deleted, its address free. The default routes are the
    /// caller's to lead elsewhere ([`Networks::route`]).
    ///
    /// # Errors
    /// What the kernel refuses, what plugins fail with; the endpoint is as it was then.
    pub async fn disconnect(&self, sandbox: &Sandbox, endpoint: &Endpoint) -> Result<()> {
        if endpoint.plugged {
            self.plugins.detach(&endpoint.id).await?;
        }
        let carrier = self.find_live(endpoint.network_id.as_str()).ok().and_then(|live| live.carrier());
        match (carrier, endpoint.host_device.clone(), endpoint.device.clone(), sandbox.namespace()) {
            (Some((_, Carrier::Bridge(host))), Some(outer), ..) => {
                offload::blocking(move || host.detach(&outer)).await?;
            }
            (Some((_, Carrier::Parent(_))), _, Some(inner), Some(namespace)) => {
                offload::blocking(move || net::branch::detach(&namespace, &inner)).await?;
            }
            _ => {}
        }
        self.withdraw(endpoint);
        Ok(())
    }

    /// Says that the container of this endpoint is over: frees its address and ports at once.
    ///
    /// Its device is cut off from the bridge in the background. It goes with its namespace; where something else
    /// holds that one (a second container in it), the device is deleted. Harmless when it was said before.
    pub fn release(&self, endpoint: &Endpoint) {
        if self.withdraw(endpoint)
            && let Some(device) = &endpoint.host_device
        {
            self.reaper.reap(device);
        }
        if endpoint.plugged {
            self.plugins.leave(&endpoint.id);
        }
    }

    /// Waits until plugins have taken back what this container had, of which [`Networks::release`] has told.
    pub async fn unplugged(&self, container: &ContainerId) {
        self.plugins.settle(|one| one.container == *container).await;
    }

    /// Takes over what running containers hold after a restart of the daemon, all of them in one call before the first
    /// [`Networks::connect`]: their addresses are reserved; devices of this engine that belong to none of them go, unless strays are kept.
    ///
    /// Returns the endpoints whose device is not there any more.
    ///
    /// # Errors
    /// Where the kernel does not say what is there.
    pub async fn adopt(self: &Arc<Self>, endpoints: Vec<Endpoint>) -> Result<Vec<Endpoint>> {
        let mut strays = self.devices().await?;
        let mut lost = Vec::new();
        self.plugins.adopt(&endpoints.iter().map(|endpoint| endpoint.id.clone()).collect::<HashSet<_>>());
        for endpoint in endpoints {
            if let Some(device) = &endpoint.host_device
                && strays.remove(device).is_none()
            {
                lost.push(endpoint.clone());
            }
            if let Ok(live) = self.find_live(endpoint.network_id.as_str())
                && let Some((addresses, _)) = live.carrier()
            {
                addresses.lock().adopt(&endpoint);
            }
            self.attached.lock().insert(endpoint.id.clone(), endpoint);
        }
        let this = Arc::clone(self);
        tokio::spawn(async move {
            this.set_up_forwarding().await;
            // Somebody may have deleted a bridge meanwhile.
            offload::blocking(move || this.repair_bridges()).await;
        });
        if !self.config.keep_strays {
            self.remove_strays(strays).await;
        }
        Ok(lost)
    }

    /// Removes devices of no container. A few at once: their other ends may be in running containers, where their names are wanted again. It takes the
    /// kernel 18 ms each, so many are left to the thread that has the time.
    async fn remove_strays(&self, strays: BTreeMap<String, Arc<Host>>) {
        const AT_ONCE: usize = 20;
        for stray in strays.keys() {
            tracing::info!(
                disagreement = audit::flaws::DEVICE_STRAY,
                device = stray,
                "a network device of no container is removed"
            );
        }
        let later = strays.keys().skip(AT_ONCE).cloned().collect::<Vec<_>>();
        let now = strays.into_iter().take(AT_ONCE);
        let failed = offload::blocking(move || {
            let failed = now.filter_map(|(stray, host)| Some((host.detach(&stray).err()?, stray)));
            failed.collect::<Vec<_>>()
        });
        for (error, stray) in failed.await {
            tracing::warn!(device = stray, error = %errors::chain(&error), "remove a device");
            self.reaper.reap(&stray);
        }
        later.into_iter().for_each(|stray| self.reaper.reap(stray));
    }

    /// Takes over the namespace of a container that runs, by its process: plugins that are to take an attachment back need it.
    ///
    /// # Errors
    /// Where a namespace that was lost can't be kept again.
    pub async fn keep_namespace(&self, container: &ContainerId, pid: u32) -> Result<()> {
        self.plugins.keep(container, format!("/proc/{pid}/ns/net").into()).await
    }

    /// The devices on all bridges, each with its bridge.
    async fn devices(&self) -> Result<BTreeMap<String, Arc<Host>>> {
        let live: Vec<_> = self.live.read().values().cloned().collect();
        offload::blocking(move || {
            let mut devices = BTreeMap::new();
            for bridged in live.iter().filter_map(|live| live.bridged.as_ref()) {
                let ports = bridged.host.ports()?.into_iter();
                devices.extend(ports.map(|port| (port, Arc::clone(&bridged.host))));
            }
            Ok(devices)
        })
        .await
    }

    /// Frees the addresses of an endpoint that is known; says whether it was.
    pub(crate) fn forget(&self, endpoint: &Endpoint) -> bool {
        let known = self.attached.lock().remove(&endpoint.id).is_some();
        if known
            && let Ok(live) = self.find_live(endpoint.network_id.as_str())
            && let Some((addresses, _)) = live.carrier()
        {
            addresses.lock().free(endpoint);
        }
        known
    }
}
