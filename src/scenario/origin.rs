//! Where a scenario comes from, so that it can be read again with other values.

use std::path::{Path, PathBuf};

use super::{Scenario, load, read};
use crate::config::Diagnostics;
use crate::policy::{OwnPolicy, Registry};

/// A scenario before it is read: a file or a text, the values that are set in it, and policies of your own.
///
/// ```
/// use plimsoll::ScenarioSource;
///
/// let text = "
/// duration: 10m
/// workload: { poisson: { rate: 20/s } }
/// service: { replicas: 4, concurrency: 4, service-time: 100ms }
/// policies: { fixed: { static: { replicas: 4 } } }
/// ";
/// let source = ScenarioSource::text(text, ".").set("service.replicas", "6");
/// let scenario = source.read()?;
/// assert_eq!(scenario.policy_names(), ["fixed"]);
///
/// // All mistakes at once, each with its place and a correction.
/// let found = ScenarioSource::text(text.replace("replicas", "replica"), ".").check();
/// assert!(found.to_string().contains("did you mean `replicas`?"));
/// # Ok::<(), plimsoll::Diagnostics>(())
/// ```
#[derive(Clone)]
pub struct ScenarioSource {
    /// The text; `None` to read the file at `path`.
    text: Option<String>,
    path: PathBuf,
    set: Vec<(String, String)>,
    own: Registry,
}

impl ScenarioSource {
    /// A file.
    pub fn file(path: impl Into<PathBuf>) -> ScenarioSource {
        ScenarioSource { text: None, path: path.into(), set: Vec::new(), own: Registry::new() }
    }

    /// A text. The paths in it start from `directory`.
    pub fn text(text: impl Into<String>, directory: impl AsRef<Path>) -> ScenarioSource {
        let path = directory.as_ref().join("scenario.yaml");
        ScenarioSource { text: Some(text.into()), path, set: Vec::new(), own: Registry::new() }
    }

    /// Sets a value: a path of names and list indices (`services.0.replicas`), and YAML. Values are set in order.
    pub fn set(mut self, path: impl Into<String>, value: impl Into<String>) -> ScenarioSource {
        self.set.push((path.into(), value.into()));
        self
    }

    /// Policies of your own that the scenario may name.
    pub fn policies(mut self, own: Registry) -> ScenarioSource {
        self.own = own;
        self
    }

    /// Reads the scenario.
    ///
    /// # Errors
    /// Everything that is wrong with it, and all warnings.
    pub fn read(&self) -> Result<Scenario, Diagnostics> {
        let mut found = Diagnostics::new();
        self.read_into(&mut found).ok_or(found)
    }

    /// Everything that is wrong or doubtful; empty for a good scenario.
    pub fn check(&self) -> Diagnostics {
        let mut found = Diagnostics::new();
        self.read_into(&mut found);
        found
    }

    /// Like [`ScenarioSource::read`], reporting to `sink`.
    pub(super) fn read_into(&self, sink: &mut Diagnostics) -> Option<Scenario> {
        let loaded = match &self.text {
            None => load::load(&self.path, &self.set, sink)?,
            Some(text) => load::load_text(text, &self.path, &self.set, sink)?,
        };
        let scenario = read::scenario(&loaded, &self.path, self.own.policies(), sink);
        let scenario = scenario.filter(|_| !sink.has_errors())?;
        Some(Scenario { origin: self.clone(), ..scenario })
    }

    /// The file at `path` with values set, and policies.
    pub(super) fn of(path: &Path, overrides: &[(String, String)], own: &[OwnPolicy]) -> ScenarioSource {
        let source = ScenarioSource::file(path).with(overrides);
        source.policies(own.iter().cloned().collect())
    }

    /// Several values set.
    fn with(mut self, values: &[(String, String)]) -> ScenarioSource {
        self.set.extend_from_slice(values);
        self
    }
}

impl Scenario {
    /// The scenario with other values, read again from where it came from. It keeps the seed, unless that is among
    /// them, and a warm-up that was found.
    ///
    /// # Errors
    /// If the scenario with these values is not valid.
    pub fn with(&self, values: &[(String, String)]) -> Result<Scenario, Diagnostics> {
        let mut scenario = self.origin.clone().with(values).read()?;
        if !values.iter().any(|(path, _)| path == "seed") {
            scenario.seed = self.seed;
        }
        if scenario.finds_warm_up {
            scenario.warm_up = self.warm_up;
        }
        Ok(scenario)
    }
}
