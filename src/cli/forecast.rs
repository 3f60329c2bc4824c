//! `plimsoll forecast`: how well could a trace have been foretold, and by which model.

use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use clap::{Args, ValueEnum};

use super::failure::Failure;
use super::output::say;
use super::terminal::{note, shown};
use super::trace::files::found;
use super::trace::reading::Reading;
use crate::config::{Diagnostics, SourceFile, parse_single};
use crate::forecast::backtest::{Backtest, Evaluation, Refit};
use crate::forecast::{Aim, Auto, Forecaster, Gaps, Ladder, Loss, Series, read_forecaster};
use crate::random::Streams;
use crate::report::results::{ForecastModelResult, ForecastResults, RESULTS_VERSION, Results, results_text};
use crate::units::SimDuration;
use crate::workload::{Expand, TraceOptions, WorkloadSpec, arrivals_per_step};

/// Arguments of `forecast`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  plimsoll forecast traces/game-evening.csv.gz --step 5m --horizon 30m --model naive --model arima --auto
  plimsoll forecast access.log.gz --step 15m --horizon 2h --season 1d --model 'regression: { lags: [1, 2, 96] }'

Models: plimsoll list forecasters")]
pub(super) struct ForecastArguments {
    /// The files to read as one trace: paths, patterns, or `-` for standard input.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// A model: its name, or its name with parameters as in a scenario (may be repeated).
    #[arg(long = "model", value_name = "MODEL")]
    models: Vec<String>,
    /// Also evaluate automatic selection: at each origin the model with the smallest recent errors, of those named (by default a
    /// built-in list) and their weighted mean.
    #[arg(long)]
    auto: bool,
    /// Forecast horizon.
    #[arg(long, value_name = "DURATION")]
    horizon: SimDuration,
    /// Length of a step of the series.
    #[arg(long, value_name = "DURATION")]
    step: SimDuration,
    /// Length of a season (may be repeated), or `none`; without this a day and a week, where two of them fit into what is learned
    /// from.
    #[arg(long = "season", value_name = "DURATION")]
    seasons: Vec<Season>,
    /// What a step stands for of which counts or levels have no row; left out, it is missing, or zero where the file has rows only
    /// for intervals in which something came.
    #[arg(long, value_enum)]
    gaps: Option<GapsArgument>,
    /// Length of history before the first origin; half the trace by default.
    #[arg(long, value_name = "DURATION")]
    train: Option<SimDuration>,
    /// Time between origins; by default the horizon, or longer where that would give more than 50 origins.
    #[arg(long, value_name = "DURATION")]
    every: Option<SimDuration>,
    /// Lead time: forecasts nearer than this are not judged, because capacity takes that long to start.
    #[arg(long, value_name = "DURATION", default_value = "0s")]
    lead: SimDuration,
    /// What to refit at each origin.
    #[arg(long, value_enum, default_value_t = Anew::Everything)]
    refit: Anew,
    /// Output format.
    #[arg(long, value_enum, default_value_t = Form::Table)]
    format: Form,
    /// The trace's format; recognised from the content if left out (`plimsoll list formats`).
    #[arg(long)]
    trace_format: Option<String>,
    #[command(flatten)]
    reading: Reading,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    Table,
    Json,
    Markdown,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Anew {
    /// Orders and components too.
    Everything,
    /// Parameters; orders and components stay as at the first origin.
    Parameters,
    /// Nothing: the model only takes in the new values.
    Nothing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum GapsArgument {
    /// Nothing is known of it: it teaches nothing, and no forecast of it is judged.
    Missing,
    /// Nobody came.
    Zero,
    /// On the way from the step before to the step after, and judged as if it had been counted.
    Interpolate,
}

impl From<GapsArgument> for Gaps {
    fn from(argument: GapsArgument) -> Gaps {
        match argument {
            GapsArgument::Missing => Gaps::Missing,
            GapsArgument::Zero => Gaps::Zero,
            GapsArgument::Interpolate => Gaps::Interpolate,
        }
    }
}

/// A season, or that there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Season {
    None,
    Of(SimDuration),
}

impl FromStr for Season {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "none" => Ok(Season::None),
            _ => text.parse().map(Season::Of).map_err(|error| format!("{error} (or `none`)")),
        }
    }
}

/// Share of a step that rows must cover for its rate to be known.
const KNOWN: f64 = 0.5;

/// Levels of the quantiles: an interval of 80% and one of 90%, and the median.
const LEVELS: [f64; 5] = [0.05, 0.1, 0.5, 0.9, 0.95];
/// Origins, unless told otherwise.
const ORIGINS: usize = 50;

/// A model by the name that the user gave it.
struct Model {
    name: String,
    forecaster: Arc<dyn Forecaster>,
}

/// One row of the result.
struct Judged {
    name: String,
    evaluation: Evaluation,
    covered_80: Option<f64>,
    covered_90: Option<f64>,
}

pub(super) fn forecast(arguments: &ForecastArguments) -> Result<(), Failure> {
    let models = arguments.models()?;
    let (plan, series) = arguments.plan(arguments.series()?)?;
    let judged = models.iter().map(|model| judge(model, &plan, &series)).collect::<Result<Vec<_>, _>>()?;
    match arguments.format {
        Form::Json => say(&results_text(&results(arguments, &series, &plan, &judged))),
        Form::Table => say(&format!("{}\n{}{}", facts(arguments, &series, &plan), table(&judged), notes(&judged))),
        Form::Markdown => {
            say(&format!("{}\n\n{}{}", facts(arguments, &series, &plan), markdown(&judged), notes(&judged)))
        }
    }
}

fn input(text: impl std::fmt::Display) -> Failure {
    Failure::input(text)
}

impl ForecastArguments {
    fn models(&self) -> Result<Vec<Model>, Failure> {
        let mut models = self.models.iter().map(|text| model(text)).collect::<Result<Vec<_>, _>>()?;
        if self.auto {
            let named: Vec<_> = models.iter().map(|model| Arc::clone(&model.forecaster)).collect();
            let members = Some(named).filter(|named| !named.is_empty());
            models.push(Model {
                name: "auto".into(),
                forecaster: Ladder::under("auto", Auto { members, ..Auto::default() }),
            });
        }
        let aim = Aim { first_step: self.first_step(), horizon: self.steps(self.horizon), loss: Loss::Absolute };
        for model in &mut models {
            if let Some(aimed) = model.forecaster.aimed(aim) {
                model.forecaster = aimed;
            }
        }
        if models.is_empty() {
            return Err(input("no model: use `--model NAME` or `--auto`; `plimsoll list forecasters` lists them"));
        }
        Ok(models)
    }

    /// The trace's requests per second in each whole step.
    fn series(&self) -> Result<Series, Failure> {
        // Counts are spread evenly: what is random about arrivals at known counts is nobody's error.
        let options = TraceOptions { expand: Expand::Even, ..self.reading.options(self.trace_format.as_deref()) };
        let mut source =
            WorkloadSpec::from_files(found(&self.files)?, options).open(Streams::new(0, 0), 0).map_err(input)?;
        let counts = arrivals_per_step(source.as_mut(), self.step, None).map_err(input)?;
        source.notices().iter().for_each(|notice| note(notice));
        let seen = match source.holes() {
            Some(holes) if self.gaps.is_some() || !holes.sparse() => holes.seen(self.step, counts.len()),
            _ => vec![1.0; counts.len()],
        };
        let seconds = self.step.as_secs_f64();
        let rate = |(count, seen): (u64, f64)| if seen >= KNOWN { count as f64 / seconds / seen } else { f64::NAN };
        Ok(Series::new(counts.into_iter().zip(seen).map(rate), self.step))
    }

    /// The lengths of the seasons in steps where so many steps are learned from.
    fn season_steps(&self, train: usize) -> Result<Vec<usize>, Failure> {
        let days = [SimDuration::from_secs(86_400), SimDuration::from_secs(7 * 86_400)];
        match self.seasons.as_slice() {
            [] => Ok(days.iter().map(|day| self.steps(*day)).filter(|season| season * 2 <= train).collect()),
            [Season::None] => Ok(Vec::new()),
            given => given
                .iter()
                .map(|season| match season {
                    Season::None => Err(input("`--season none` excludes other seasons")),
                    Season::Of(season) => Ok(self.steps(*season)),
                })
                .collect(),
        }
    }

    /// The first step that is judged, from 1.
    fn first_step(&self) -> usize {
        let lead = usize::try_from(self.lead.as_nanos() / self.step.as_nanos().max(1)).unwrap_or(usize::MAX);
        lead.saturating_add(1)
    }

    /// Whole steps in a time, at least one.
    fn steps(&self, of: SimDuration) -> usize {
        usize::try_from(of.as_nanos() / self.step.as_nanos().max(1)).unwrap_or(usize::MAX).max(1)
    }

    /// The backtest, and the series with its seasons.
    fn plan(&self, series: Series) -> Result<(Backtest, Series), Failure> {
        let (len, horizon) = (series.len(), self.steps(self.horizon));
        let train = self.train.map_or(len / 2, |train| self.steps(train));
        if train < 2 || train.saturating_add(horizon) > len {
            let message =
                format!("{len} steps of {} are too few to train on {train} and forecast {horizon}", self.step);
            return Err(input(format!("{message}\nUse a shorter --step, --train or --horizon.")));
        }
        let fitting = (len - train - horizon).div_ceil(ORIGINS);
        let every = self.every.map_or(horizon.max(fitting), |every| self.steps(every));
        let missing = len - series.observed();
        if missing > 0 {
            let taken = self.gaps.map_or(Gaps::Missing, Gaps::from).name();
            note(&format!("{missing} of {len} steps have no row and are treated as {taken} (--gaps)"));
        }
        let series = series.with_seasons(self.season_steps(train)?);
        let series = self.gaps.map_or(Gaps::Missing, Gaps::from).filled(series);
        let first_step = self.first_step();
        if first_step > horizon {
            return Err(input("the lead time must be shorter than the horizon"));
        }
        let refit = match self.refit {
            Anew::Everything => Refit::Everything,
            Anew::Parameters => Refit::Parameters,
            Anew::Nothing => Refit::Never,
        };
        let plan = Backtest::every(&series, every, train, horizon);
        Ok((Backtest { levels: LEVELS.to_vec(), first_step, refit, ..plan }, series))
    }
}

/// Reads a model as a scenario would.
fn model(text: &str) -> Result<Model, Failure> {
    let mut sink = Diagnostics::new();
    let node = parse_single(&SourceFile::new("--model", text));
    let read = node.map_err(|error| sink.push(*error)).ok().and_then(|node| read_forecaster(&node, &mut sink));
    match read.filter(|_| !sink.has_errors()) {
        Some(forecaster) => Ok(Model { name: text.to_string(), forecaster }),
        None => Err(Failure::Input(shown(&sink))),
    }
}

fn judge(model: &Model, plan: &Backtest, series: &Series) -> Result<Judged, Failure> {
    let evaluation = plan.run(model.forecaster.as_ref(), series);
    let evaluation = evaluation.map_err(|error| input(format!("{}: {error}", model.name)))?;
    let covered = |low, high| plan.interval_coverage(series, &evaluation, low, high);
    let (covered_80, covered_90) = (covered(0.1, 0.9), covered(0.05, 0.95));
    Ok(Judged { name: model.name.clone(), covered_80, covered_90, evaluation })
}

impl Judged {
    /// Pinball loss averaged over the levels, percent of the values.
    fn pinball(&self) -> Option<f64> {
        let losses: Option<Vec<f64>> = self.evaluation.scores.pinball.iter().copied().collect();
        losses.filter(|losses| !losses.is_empty()).map(|losses| losses.iter().sum::<f64>() / losses.len() as f64)
    }

    fn cells(&self) -> [String; 9] {
        let shown = |value: Option<f64>, digits: usize| value.map_or("-".into(), |value| format!("{value:.digits$}"));
        let percent = |value: Option<f64>| value.map_or("-".into(), |value| format!("{:.1}%", 100.0 * value));
        let scores = &self.evaluation.scores;
        [
            self.name.clone(),
            shown(scores.mase, 3),
            shown(scores.mase_naive, 3),
            shown(scores.smape, 2),
            shown(scores.wape, 2),
            shown(self.pinball(), 2),
            percent(self.covered_80),
            percent(self.covered_90),
            self.evaluation.fallbacks().to_string(),
        ]
    }
}

const HEADS: [&str; 9] =
    ["model", "MASE", "vs naive", "sMAPE %", "WAPE %", "pinball %", "in 80%", "in 90%", "fallbacks"];

/// What was forecast, and how it was judged.
fn facts(arguments: &ForecastArguments, series: &Series, plan: &Backtest) -> String {
    let time = |steps: usize| SimDuration::from_nanos(series.step().as_nanos().saturating_mul(steps as u64));
    let seasons: Vec<String> = series.seasons().iter().map(|season| time(*season).to_string()).collect();
    let seasons = if seasons.is_empty() { "no season".to_string() } else { format!("season {}", seasons.join(", ")) };
    format!(
        "{}: {} steps of {}, {seasons}; {} origins, each after {}; judged from {} to {} ahead",
        trace_name(arguments),
        series.len(),
        series.step(),
        plan.origins.len(),
        time(plan.train),
        time(plan.first_step - 1),
        time(plan.horizon),
    )
}

fn table(judged: &[Judged]) -> String {
    let rows: Vec<[String; 9]> =
        std::iter::once(HEADS.map(String::from)).chain(judged.iter().map(Judged::cells)).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for row in &rows {
        text.push_str(&format!("{:w$}", row[0], w = width(0)));
        for (column, cell) in row.iter().enumerate().skip(1) {
            text.push_str(&format!("  {cell:>w$}", w = width(column)));
        }
        text.push('\n');
    }
    text
}

fn markdown(judged: &[Judged]) -> String {
    let row = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let heads = row(&HEADS.map(String::from));
    let rows: String = judged.iter().map(|judged| row(&judged.cells().map(|cell| cell.replace('|', "\\|")))).collect();
    format!("{heads}|---|{}\n{rows}\n", "---:|".repeat(HEADS.len() - 1))
}

/// What the models became, and where a simpler one stood in.
fn notes(judged: &[Judged]) -> String {
    let mut text = String::new();
    for judged in judged {
        text.push_str(&format!("{}: {}\n", judged.name, judged.evaluation.description));
        let mut reasons: Vec<String> =
            judged.evaluation.forecasts.iter().filter_map(|f| f.fallback.as_ref()).map(ToString::to_string).collect();
        reasons.sort();
        reasons.dedup();
        reasons.iter().take(3).for_each(|reason| text.push_str(&format!("  {reason}\n")));
    }
    text.push_str(
        "MASE: error relative to repeating the last season (the last value if there is no season); below 1 is better.\n",
    );
    text
}

fn results(arguments: &ForecastArguments, series: &Series, plan: &Backtest, judged: &[Judged]) -> Results {
    let seconds = |steps: usize| series.step().as_secs_f64() * steps as f64;
    let model = |judged: &Judged| {
        let scores = &judged.evaluation.scores;
        ForecastModelResult {
            model: judged.name.clone(),
            description: judged.evaluation.description.clone(),
            mase: scores.mase,
            mase_naive: scores.mase_naive,
            smape_percent: scores.smape,
            wape_percent: scores.wape,
            pinball_percent: scores.pinball.clone(),
            at_or_below_share: scores.coverage.clone(),
            in_interval_80_share: judged.covered_80,
            in_interval_90_share: judged.covered_90,
            values: scores.values,
            fallbacks: judged.evaluation.fallbacks(),
        }
    };
    Results::Forecast(ForecastResults {
        version: RESULTS_VERSION,
        trace: trace_name(arguments),
        steps: series.len(),
        missing_steps: series.len() - series.observed(),
        step_s: series.step().as_secs_f64(),
        seasons_s: series.seasons().iter().map(|season| seconds(*season)).collect(),
        train_s: seconds(plan.train),
        lead_s: seconds(plan.first_step - 1),
        horizon_s: seconds(plan.horizon),
        origins: plan.origins.len(),
        levels: LEVELS.to_vec(),
        models: judged.iter().map(model).collect(),
    })
}

/// The files as they were named.
fn trace_name(arguments: &ForecastArguments) -> String {
    arguments.files.iter().map(|file| file.display().to_string()).collect::<Vec<_>>().join(" ")
}
