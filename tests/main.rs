//! Everything that is not a unit test.

mod forecasters;
mod reference_forecast;
