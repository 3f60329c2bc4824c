//! Everything that is not a unit test.

mod reference_forecast;
