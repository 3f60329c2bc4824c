//! What a trace contains, for its reader: facts, missing rows, portraits.

pub(super) mod facts;
pub(super) mod function_profile;
pub(super) mod instants;
pub(super) mod portrait;
