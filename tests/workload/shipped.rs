//! The traces that are shipped.
