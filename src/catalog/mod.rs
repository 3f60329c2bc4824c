//! Instance types, container offers and their prices as data.
//!
//! The built-in catalogue ([`Catalog::builtin`]) consists of three small tables next to this file; each row has the
//! source of its price and that source's date. Prices are on-demand list prices for Linux in US dollars, without
//! discounts. [`Market`] holds everything else that has a price, read from the tables in `full/` when it is first asked for;
//! instance types that the small tables lack are looked up there. A [`PriceList`] of the user goes over both.
//!
//! Allocatable capacity is what Kubernetes leaves for pods. For AWS it is measured (Karpenter's instance reference).
//! For Azure and Google it is computed from the reservations documented for AKS (version 1.29 and later) and GKE, for
//! 110 pods per node; it does not subtract the memory of the node's kernel and is therefore slightly too high.

mod container;
mod functions;
mod instance;
mod lists;
mod lookup;
mod market;
mod price;

pub use container::{ContainerOffer, KUBERNETES_OVERHEAD};
pub use functions::function_rules;
pub use instance::{Allocatable, Gpu, InstanceType, ShareError};
pub use lists::{Listed, ListedSize, PriceList, Rates};
pub use lookup::{Catalog, LookupError};
pub use market::{Market, Offer, OtherPrice, Reserved, Size, Spot, matches};
pub use price::{Billing, PriceSource, Provider, Purchase, is_date, is_stale, price_dates, span_of_dates};
