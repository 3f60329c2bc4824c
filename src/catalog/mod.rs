//! Instance types, container offers and their prices as data: what a replica or a node costs.
//!
//! The built-in catalogue is three small tables beside this file, each row with the source of its price and the date of that
//! source: [`Catalog::builtin`]. Prices are list prices in US dollars, Linux, on demand, without any discount.
//!
//! Allocatable capacity is what Kubernetes leaves for pods. For AWS it is measured (Karpenter's instance reference); for Azure
//! and Google it follows the reservations that AKS (version 1.29 and later) and GKE document, for 110 pods a node, and
//! leaves out the memory that the node's own kernel keeps, so it is a little high.

mod container;
mod instance;
mod lookup;
mod price;

pub use container::{ContainerOffer, KUBERNETES_OVERHEAD};
pub use instance::{Allocatable, Gpu, InstanceType, ShareError};
pub use lookup::{Catalog, LookupError};
pub use price::{Billing, PriceSource, Provider, price_dates};
