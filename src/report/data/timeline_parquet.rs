//! `timeline.parquet`: the columns of `timeline.csv` with types.

use super::timeline::{Column, columns};
use crate::columnar::{Cells, table_bytes};
use crate::experiment::Outcome;
use crate::report::artifact::{Artifact, ReportError, Reporter, ReporterPlugin};
use crate::units::Usd;

/// The entry in the list.
pub(crate) const PLUGIN: ReporterPlugin = ReporterPlugin {
    name: "timeline.parquet",
    summary: "the timeline as a typed table; missing figures are null",
    source: "Apache Parquet",
    build: &TimelineParquet,
};

struct TimelineParquet;

impl Reporter for TimelineParquet {
    fn report(&self, outcome: &Outcome) -> Result<Vec<Artifact>, ReportError> {
        let columns = columns(outcome).into_iter().map(|(name, column)| (name, cells(column))).collect();
        let bytes = table_bytes(columns).map_err(|error| ReportError::new(PLUGIN.name, error))?;
        Ok(vec![Artifact::new(PLUGIN.name, bytes)])
    }
}

fn cells(column: Column) -> Cells {
    match column {
        Column::Text(values) => Cells::MaybeText(values.into_iter().map(Some).collect()),
        Column::Count(values) => Cells::Count(values),
        Column::Number(values) => {
            Cells::MaybeReal(values.into_iter().map(|value| value.filter(|value| value.is_finite())).collect())
        }
        Column::Money(values) => Cells::MaybeReal(values.iter().map(|value| value.map(Usd::as_f64)).collect()),
    }
}
