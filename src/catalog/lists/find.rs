//! Looks up prices: first in the list, then in the catalogue.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::list::{Listed, PriceList, Rates};
use crate::catalog::container::ContainerOffer;
use crate::catalog::instance::InstanceType;
use crate::catalog::lookup::{Catalog, LookupError};
use crate::catalog::market::{Market, Offer, Size, Spot, left_for_pods};
use crate::catalog::price::{PriceSource, Provider, Purchase};
use crate::config::{advice, did_you_mean};
use crate::units::UsdPerHour;

impl PriceList {
    /// The instance type with this name in `region`, or in its provider's default region, at its price on demand.
    ///
    /// # Errors
    /// If neither the list nor the catalogue has it there, or neither states its size.
    pub fn instance(&self, name: &str, region: Option<&str>) -> Result<InstanceType, LookupError> {
        let catalog = Catalog::builtin();
        let base = catalog.sized(name, region);
        if let Some(listed) = self.listed(name, region, base)? {
            return listed.instance(region, base);
        }
        match (&self.rates, base) {
            (Some(rates), Some(base)) => Ok(rates.instance(region, base)),
            _ => catalog.instance(name, region).cloned().map_err(|error| self.nearest(name, error)),
        }
    }

    /// The price of a way of purchase of an instance type found by [`PriceList::instance`], and its source.
    ///
    /// # Errors
    /// If nobody states one.
    pub fn purchased(&self, of: &InstanceType, purchase: Purchase) -> Result<(UsdPerHour, PriceSource), LookupError> {
        if purchase == Purchase::OnDemand {
            return Ok((of.price, of.price_source.clone()));
        }
        let listed = self.offers.iter().rev().find(|listed| listed.is(&of.name, &of.region));
        if let Some(listed) = listed
            && let Some(price) = listed.price_of(purchase)
        {
            return Ok((price, listed.source.clone()));
        }
        let size = (of.cpu, of.memory, of.gpu.as_ref().map_or(0, |gpu| gpu.count));
        if let (Purchase::Spot, Some(rates)) = (purchase, &self.rates)
            && let Some(price) = rates.spot_of(size.0, size.1, size.2)
        {
            return Ok((price, rates.source.clone()));
        }
        let market = Market::builtin();
        let offer = market.offers.iter().find(|offer| offer.name == of.name && offer.region == of.region);
        let known = match purchase {
            Purchase::OnDemand => None,
            Purchase::Spot => offer.and_then(|offer| offer.spot.as_ref()).map(|spot| (spot.price, &spot.source)),
            Purchase::Reserved1y => {
                offer.and_then(|offer| offer.reserved_1y.as_ref()).map(|(price, source)| (*price, source))
            }
            Purchase::Reserved3y => {
                offer.and_then(|offer| offer.reserved.as_ref()).map(|(price, source)| (*price, source))
            }
        };
        if let Some((price, source)) = known {
            return Ok((price, PriceSource::clone(source)));
        }
        market.discounted(of, purchase).ok_or_else(|| LookupError {
            message: format!("nobody states a {purchase} price of `{}` in `{}`", of.name, of.region),
            help: Some(format!("state it in a file of `prices:`, in the column `{}`", purchase.column())),
        })
    }

    /// The container offer with this name in `region`, or in its provider's default region.
    ///
    /// # Errors
    /// If neither the list nor the catalogue has it there.
    pub fn container(&self, name: &str, region: Option<&str>) -> Result<ContainerOffer, LookupError> {
        let there = |offer: &&ContainerOffer| {
            offer.name == name && offer.region == region.unwrap_or_else(|| offer.provider.default_region())
        };
        match self.containers.iter().rev().find(there) {
            Some(offer) => Ok(offer.clone()),
            None => Catalog::builtin().container(name, region).cloned(),
        }
    }

    /// The offers of the market with the prices of this list; those that only the list has come last.
    pub fn over(&self, market: &Market) -> Vec<Offer> {
        let mut offers = market.offers.clone();
        if let Some(rates) = &self.rates {
            let source = Arc::new(rates.source.clone());
            offers.iter_mut().for_each(|offer| rates.reprice(offer, &source));
        }
        let mut by_name: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (number, offer) in offers.iter().enumerate() {
            by_name.entry(offer.name.to_string()).or_default().push(number);
        }
        for listed in &self.offers {
            let known = by_name.entry(listed.name.clone()).or_default();
            let there = known.iter().copied().filter(|number| listed.is(&listed.name, &offers[*number].region));
            let there: Vec<usize> = there.collect();
            for number in &there {
                let new = listed.offer(Some(&offers[*number]));
                let old = &offers[*number];
                let spot = new.spot.clone().or_else(|| old.spot.clone());
                let reserved = new.reserved.clone().or_else(|| old.reserved.clone());
                offers[*number] = Offer { region: old.region.clone(), spot, reserved, ..new };
            }
            if there.is_empty() {
                let new = listed.offer(known.first().map(|number| &offers[*number]));
                known.push(offers.len());
                offers.push(new);
            }
        }
        offers
    }

    /// The last entry for this name and region. Without a region it is that of the provider, or the only one.
    fn listed(
        &self,
        name: &str,
        region: Option<&str>,
        base: Option<&InstanceType>,
    ) -> Result<Option<&Listed>, LookupError> {
        let of_name: Vec<&Listed> = self.offers.iter().rev().filter(|listed| listed.name == name).collect();
        let Some(newest) = of_name.first() else { return Ok(None) };
        let provider = newest.provider.or(base.map(|base| base.provider)).unwrap_or(Provider::Custom);
        let asked = region.unwrap_or_else(|| provider.default_region());
        if let Some(found) = of_name.iter().find(|listed| listed.is(name, asked)) {
            return Ok(Some(found));
        }
        let regions: BTreeSet<&str> = of_name.iter().filter_map(|listed| listed.region.as_deref()).collect();
        let in_catalog = Catalog::builtin().instance(name, region).is_ok() || self.rates.is_some() && base.is_some();
        match region {
            _ if in_catalog => Ok(None),
            None if regions.len() == 1 => Ok(Some(newest)),
            _ => {
                let known: Vec<&str> = regions.into_iter().collect();
                let list = format!("the file has it in {}", known.join(", "));
                let message = match region {
                    Some(region) => format!("no price of instance type `{name}` in `{region}`"),
                    None => format!("instance type `{name}` needs a `region:`"),
                };
                Err(LookupError { message, help: Some(advice(asked, known, &list)) })
            }
        }
    }

    /// An error of the catalogue with the nearest name of the list, if that is nearer.
    fn nearest(&self, name: &str, error: LookupError) -> LookupError {
        let own = did_you_mean(name, self.offers.iter().map(|listed| listed.name.as_str()));
        LookupError { help: own.or(error.help), message: error.message }
    }
}

impl Listed {
    fn is(&self, name: &str, region: &str) -> bool {
        self.name == name && self.region.as_deref().is_none_or(|own| own == region)
    }

    fn price_of(&self, purchase: Purchase) -> Option<UsdPerHour> {
        match purchase {
            Purchase::OnDemand => Some(self.price),
            Purchase::Spot => self.spot,
            Purchase::Reserved1y => self.reserved[0],
            Purchase::Reserved3y => self.reserved[1],
        }
    }

    fn instance(&self, region: Option<&str>, base: Option<&InstanceType>) -> Result<InstanceType, LookupError> {
        let missing = |message: String, help: &str| LookupError { message, help: Some(help.to_string()) };
        let name = &self.name;
        let size = self.sized(base).ok_or_else(|| {
            let message =
                format!("{} has a price of `{name}` but not its size, nor has the catalogue", self.source.source);
            missing(message, "a file with the columns `vcpu` and `memory_mib` states it")
        })?;
        let provider = self.provider.or(base.map(|base| base.provider)).unwrap_or(Provider::Custom);
        let by_rule = || {
            left_for_pods(provider, size.cpu, size.memory)
                .or_else(|| left_for_pods(Provider::Gcp, size.cpu, size.memory))
        };
        let allocatable = size.allocatable.or_else(by_rule).ok_or_else(|| {
            let message = format!("`{name}` with {} CPU and {} is too small for pods", size.cpu, size.memory);
            missing(message, "Kubernetes keeps a part of each node to itself")
        })?;
        let stated = |text: &str, other: &str| if text.is_empty() { other.to_string() } else { text.to_string() };
        let region = region.or(self.region.as_deref()).unwrap_or_else(|| provider.default_region());
        let rule = if provider == Provider::Azure { "AKS" } else { "GKE" };
        Ok(InstanceType {
            provider,
            region: region.to_string(),
            name: name.clone(),
            cpu: size.cpu,
            memory: size.memory,
            gpu: size.gpu.clone(),
            allocatable,
            price: self.price,
            billing: Catalog::builtin().billing(provider),
            price_source: self.source.clone(),
            spec_source: stated(&size.source, &self.source.source),
            allocatable_source: match size.allocatable {
                Some(_) => stated(&size.allocatable_source, &self.source.source),
                None => format!("reservations documented for {rule}, 110 pods"),
            },
        })
    }

    /// As an offer; what is not stated is that of `base`, the same type elsewhere in the market.
    fn offer(&self, base: Option<&Offer>) -> Offer {
        let size = self.size.as_ref().map(|size| {
            Arc::new(Size {
                cpu: Some(size.cpu),
                memory: Some(size.memory),
                gpu: size.gpu.clone(),
                accelerator: "",
                arch: base.map_or("", |base| base.size.arch),
                burstable: base.is_some_and(|base| base.size.burstable),
                allocatable: size.allocatable.or_else(|| base.and_then(|base| base.size.allocatable)),
                source: size.source.clone(),
            })
        });
        let source = Arc::new(self.source.clone());
        let spot = self.spot.map(|price| Spot { price, kind: "list", interrupted: "", source: Arc::clone(&source) });
        let [year, three] = self.reserved.map(|price| price.map(|price| (price, Arc::clone(&source))));
        Offer {
            provider: self.provider.or(base.map(|base| base.provider)).unwrap_or(Provider::Custom),
            region: self.region.clone().unwrap_or_default().into(),
            name: self.name.clone().into(),
            size: size.or_else(|| base.map(|base| Arc::clone(&base.size))).unwrap_or_default(),
            price: self.price,
            stale: false,
            spot,
            reserved_1y: year,
            reserved: three,
            source,
        }
    }
}

impl Rates {
    fn instance(&self, region: Option<&str>, base: &InstanceType) -> InstanceType {
        let gpus = base.gpu.as_ref().map_or(0, |gpu| gpu.count);
        InstanceType {
            region: region.unwrap_or_else(|| base.provider.default_region()).to_string(),
            price: self.of(base.cpu, base.memory, gpus),
            price_source: self.source.clone(),
            ..base.clone()
        }
    }

    /// Replaces the prices of an offer whose size is known.
    fn reprice(&self, offer: &mut Offer, source: &Arc<PriceSource>) {
        let (Some(cpu), Some(memory)) = (offer.size.cpu, offer.size.memory) else { return };
        let gpus = offer.size.gpu.as_ref().map_or(0, |gpu| gpu.count);
        let spot = |price| Spot { price, kind: "list", interrupted: "", source: Arc::clone(source) };
        offer.price = self.of(cpu, memory, gpus);
        offer.spot = self.spot_of(cpu, memory, gpus).map(spot);
        (offer.reserved_1y, offer.reserved, offer.stale) = (None, None, false);
        offer.source = Arc::clone(source);
    }
}
