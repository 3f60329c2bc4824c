//! `timeline.parquet`: the columns of `timeline.csv` with types.

use polars::prelude::{DataFrame, IntoColumn, NamedFrom, ParquetWriter, Series};

use crate::experiment::Outcome;
use crate::report::timeline::{Column, columns};
use crate::report::{Artifact, ReportError, Reporter, ReporterPlugin};
use crate::units::Usd;

/// The entry in the list.
pub(super) const PLUGIN: ReporterPlugin = ReporterPlugin {
    name: "timeline.parquet",
    summary: "the timeline as a typed table; missing figures are null",
    source: "Apache Parquet, written by polars",
    build: &TimelineParquet,
};

struct TimelineParquet;

impl Reporter for TimelineParquet {
    fn report(&self, outcome: &Outcome) -> Result<Vec<Artifact>, ReportError> {
        let refuse = |e| ReportError::new(PLUGIN.name, e);
        let columns = columns(outcome).into_iter().map(|(name, column)| series(name, column).into_column()).collect();
        let mut frame = DataFrame::new_infer_height(columns).map_err(refuse)?;
        let mut bytes = Vec::new();
        ParquetWriter::new(&mut bytes).finish(&mut frame).map_err(refuse)?;
        Ok(vec![Artifact::new(PLUGIN.name, bytes)])
    }
}

fn series(name: &str, column: Column) -> Series {
    match column {
        Column::Text(values) => Series::new(name.into(), values),
        Column::Count(values) => Series::new(name.into(), values),
        Column::Number(values) => {
            Series::new(name.into(), values.into_iter().map(|v| v.filter(|v| v.is_finite())).collect::<Vec<_>>())
        }
        Column::Money(values) => {
            Series::new(name.into(), values.iter().map(|v| v.map(Usd::as_f64)).collect::<Vec<_>>())
        }
    }
}
