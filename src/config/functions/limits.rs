//! The limits of function platforms and the regions of providers, as read from tables.

use super::definition::Stated;
use crate::config::{Diagnostic, Diagnostics, Yaml, suggest};

/// Values that a limit allows, in the limit's unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Allowed {
    /// Nothing is stated.
    Anything,
    /// Any of these ranges (both ends belong to them), each with its step.
    Ranges(Vec<(u64, u64, u64)>),
}

impl Allowed {
    /// Reads `128..10240`, `1..`, `1024..6144/1024` or `512|2048|4096`.
    fn read(text: &str) -> Option<Allowed> {
        if text.is_empty() {
            return Some(Allowed::Anything);
        }
        let range = |part: &str| {
            let (range, step) = part.split_once('/').map_or((part, "1"), |(range, step)| (range, step));
            let (least, most) = range.split_once("..").unwrap_or((range, range));
            let least = if least.is_empty() { 0 } else { least.parse().ok()? };
            let most = if most.is_empty() { u64::MAX } else { most.parse().ok()? };
            Some((least, most, step.parse().ok().filter(|step: &u64| *step > 0)?))
        };
        text.split('|').map(range).collect::<Option<Vec<_>>>().map(Allowed::Ranges)
    }

    /// Whether `value` is allowed.
    pub fn allows(&self, value: u64) -> bool {
        match self {
            Allowed::Anything => true,
            Allowed::Ranges(ranges) => ranges
                .iter()
                .any(|(least, most, step)| (*least..=*most).contains(&value) && (value - least).is_multiple_of(*step)),
        }
    }

    /// The allowed values in words: "128 to 10240", "512, 2048 or 4096".
    pub fn words(&self) -> String {
        let Allowed::Ranges(ranges) = self else { return "anything".into() };
        let range = |(least, most, step): &(u64, u64, u64)| match (least == most, step) {
            (true, _) => least.to_string(),
            (false, _) if *most == u64::MAX => format!("{least} or more"),
            (false, 1) => format!("{least} to {most}"),
            (false, step) => format!("{least} to {most} in steps of {step}"),
        };
        let words: Vec<String> = ranges.iter().map(range).collect();
        match words.split_last() {
            Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
            _ => words.concat(),
        }
    }
}

/// One limit or constant of a function platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit {
    /// The provider (`aws`).
    pub provider: String,
    /// The service (`lambda`, `functions-flex`, `cloud-run`).
    pub service: String,
    /// What is limited (`memory`).
    pub name: String,
    /// The constant, or the value that holds where a file states none; empty if there is none.
    pub value: String,
    /// The values that may be stated.
    pub allowed: Allowed,
    /// Unit of the values.
    pub unit: String,
    /// What else is to be known.
    pub note: String,
    /// Whether no source was found that can be cited.
    pub unverified: bool,
    /// Source.
    pub source: String,
    /// When the source was read.
    pub date: String,
}

/// All limits and regions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FunctionRules {
    /// The limits in the order of the table.
    pub limits: Vec<Limit>,
    /// Provider and name of each region.
    pub regions: Vec<(String, String)>,
}

impl FunctionRules {
    /// Reads the tables of limits (`provider,service,limit,value,allowed,unit,note,flag,source,date`) and of regions
    /// (`provider,region,source,date`), both with a header.
    ///
    /// # Errors
    /// The first row that cannot be read, in words.
    pub fn read(limits: &str, regions: &str) -> Result<FunctionRules, String> {
        Ok(FunctionRules {
            limits: rows(limits, limit)?,
            regions: rows(regions, |cells| match cells {
                [provider, region, _, _] => Some((provider.to_string(), region.to_string())),
                _ => None,
            })?,
        })
    }

    /// The limit with this name.
    pub fn limit(&self, service: &str, name: &str) -> Option<&Limit> {
        self.limits.iter().find(|limit| limit.service == service && limit.name == name)
    }

    /// The whole number that holds where a file states none, or the constant.
    pub fn number(&self, service: &str, name: &str) -> Option<u64> {
        self.limit(service, name)?.value.parse().ok()
    }

    /// Reports `value` of `what` ("`MemorySize` of function `shop`") if the limit does not allow it; whether it does.
    pub(super) fn check(
        &self,
        (service, name): (&str, &str),
        what: &str,
        value: &Stated<u64>,
        sink: &mut Diagnostics,
    ) -> bool {
        let Some(limit) = self.limit(service, name).filter(|limit| !limit.allowed.allows(value.value)) else {
            return true;
        };
        let error = value.error(format!("{what} cannot be {} {}", value.value, limit.unit));
        let error = error.label(format!("allowed: {} {}", limit.allowed.words(), limit.unit));
        sink.push(error.note(limit.origin()));
        false
    }

    /// The region that `node` states; an unknown one is reported with the most similar name.
    pub(super) fn region(&self, provider: &str, node: &Yaml, sink: &mut Diagnostics) -> Option<Stated<String>> {
        let text = node.as_text()?;
        // Azure's portal writes `West Europe`.
        let plain: String = match provider {
            "azure" => text.split_whitespace().collect::<String>().to_lowercase(),
            _ => text.to_string(),
        };
        let known = || self.regions.iter().filter(|(of, _)| of == provider).map(|(_, region)| region.as_str());
        if known().any(|region| region == plain) {
            return Some(Stated::new(plain, node));
        }
        let provider = match provider {
            "aws" => "AWS",
            "azure" => "Azure",
            _ => "Google Cloud",
        };
        let error: Diagnostic = node.error(format!("`{text}` is not a region of {provider}"));
        sink.push(match suggest(&plain, known()) {
            Some(near) => error.meant(near),
            None => error.label("unknown region").note(format!("known: {}", known().collect::<Vec<_>>().join(", "))),
        });
        None
    }
}

impl Limit {
    /// Where the limit comes from, for a note.
    pub fn origin(&self) -> String {
        let unverified = if self.unverified { ", unverified" } else { "" };
        format!("{} of {}: {} ({}{unverified})", self.name, self.service, self.source, self.date)
    }
}

fn limit(cells: &[&str]) -> Option<Limit> {
    let [provider, service, name, value, allowed, unit, note, flag, source, date] = cells else { return None };
    Some(Limit {
        provider: provider.to_string(),
        service: service.to_string(),
        name: name.to_string(),
        value: value.to_string(),
        allowed: Allowed::read(allowed)?,
        unit: unit.to_string(),
        note: note.to_string(),
        unverified: *flag == "u",
        source: source.to_string(),
        date: date.to_string(),
    })
}

/// Reads every row of a table but its header.
fn rows<T>(table: &str, read: impl Fn(&[&str]) -> Option<T>) -> Result<Vec<T>, String> {
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    let mut all = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| error.to_string())?;
        let cells: Vec<&str> = record.iter().collect();
        all.push(read(&cells).ok_or_else(|| format!("cannot read the row `{}`", cells.join(",")))?);
    }
    Ok(all)
}
