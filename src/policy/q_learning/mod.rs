//! `q-learning`: a table of actions by state, learned by trial on simulated weeks.
//!
//! There are a few thousand *states* ([`Design`]): combinations of the offered load per desired replica, its trend, the
//! share of replicas not ready yet, the queue length and the time of day. An action changes the number of replicas. For
//! each state and action a table ([`Table`]) holds the dollars and bad requests expected within the horizon; the policy
//! takes the action with the smallest sum, with a price in dollars per bad request.
//!
//! The table is learned by `plimsoll train` (`experiment::train`) and stored ([`Learned`]). A trained policy uses no
//! random numbers and no longer learns: its decisions are a function of the file and its observations. In a state that
//! was never visited, and everywhere without a file, it takes the action that comes closest to a given utilization, and
//! says so in its reason.

mod design;
mod learned;
mod parameters;
mod policy;
mod step;
mod table;
#[cfg(test)]
mod tests;

pub use super::stored::Origin;
pub use design::{Design, Sight};
pub use learned::{LAYOUT, Learned};
pub use policy::{Choose, Explorer, PLUGIN, QLearning, Settings, Visit};
pub use step::Step;
pub use table::{Cell, Experience, Rule, Table};
