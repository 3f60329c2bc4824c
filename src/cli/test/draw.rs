//! Charts of what is tested.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::path::Path;

use crate::cli::arguments::TimeAxis;
use crate::cli::failure::Failure;
use crate::cli::files;
use crate::experiment::{self, Story, Telling};
use crate::report::{self, Artifact};
use crate::scenario::Scenario;

/// Where charts go, and which names are taken there.
pub(super) struct Drawings<'a> {
    directory: Option<&'a Path>,
    taken: BTreeSet<String>,
}

impl<'a> Drawings<'a> {
    /// Charts into a directory; without one, none are drawn.
    pub(super) fn new(directory: Option<&'a Path>) -> Result<Self, Failure> {
        if directory.is_some() && cfg!(not(feature = "charts")) {
            let problem = "--charts: this plimsoll was built without charts; build it with `--features charts`";
            return Err(Failure::input(problem));
        }
        Ok(Drawings { directory, taken: BTreeSet::new() })
    }

    /// The name of a file without its ending; of several of one name the later ones are numbered.
    fn name(&mut self, path: &Path) -> String {
        let stem = path.file_stem().map_or_else(|| "test".into(), |stem| stem.to_string_lossy().into_owned());
        let numbered = (2..).map(|number: u32| format!("{stem}-{number}"));
        let name = std::iter::once(stem.clone()).chain(numbered).find(|name| !self.taken.contains(name));
        let name = name.unwrap_or(stem);
        self.taken.insert(name.clone());
        name
    }

    /// Draws a story that was told.
    pub(super) fn story(&mut self, path: &Path, story: &Story, telling: &Telling) -> Result<(), Failure> {
        let Some(directory) = self.directory else { return Ok(()) };
        let pictures = report::story_charts(&self.name(path), story, telling);
        write(directory, pictures)
    }

    /// Draws the first replication of a scenario.
    pub(super) fn scenario(
        &mut self,
        path: &Path,
        scenario: &Scenario,
        threads: usize,
        axis: TimeAxis,
    ) -> Result<(), Failure> {
        let Some(directory) = self.directory else { return Ok(()) };
        let mut outcome = experiment::run(scenario, "plimsoll test --charts", threads, &|_, _| ()).map_err(refused)?;
        axis.apply(&mut outcome);
        write(&directory.join(self.name(path)), report::run_charts(&outcome))
    }
}

fn write(directory: &Path, mut pictures: Vec<Artifact>) -> Result<(), Failure> {
    let pngs = report::pngs(&pictures).map_err(refused)?;
    pictures.extend(pngs);
    files::write_all(directory, &pictures).map(|_| ())
}

fn refused(problem: impl Display) -> Failure {
    Failure::input(problem)
}
