//! `plimsoll new from-manifests`: scenarios for the workloads of a directory.

use std::path::{Path, PathBuf};

use super::super::files::write_one;
use super::{Destination, tell_next_steps};
use crate::cli::failure::Failure;
use crate::cli::terminal::{note, shown};
use crate::config::kubernetes::{Deployment, Manifests};
use crate::config::spool::{directory_of, is_stream, name_of};
use crate::config::{Diagnostics, MAX_YAML_BYTES, Severity, SourceFile};
use crate::policy::hpa::{HpaManifest, read_manifest};
use crate::policy::measure_named;
use crate::scenario::Scenario;
use crate::units::{Millicores, SimDuration};

/// What a directory holds, each with the name of its file.
#[derive(Default)]
struct Found {
    workloads: Vec<(String, Deployment)>,
    autoscalers: Vec<(String, HpaManifest)>,
    /// What to do with parts that must be rendered first.
    help: Option<String>,
}

/// Writes a scenario for each workload of a directory or file.
pub(super) fn write(named: &Path, only: Option<&str>, destination: &Destination) -> Result<(), Failure> {
    if is_stream(named) {
        let help = "help: write it to a file, `kubectl kustomize DIR > manifests.yaml`, then `plimsoll new from-manifests manifests.yaml`";
        let why = format!("{}: a scenario names its manifests by their file\n{help}", name_of(named));
        return Err(Failure::input(why));
    }
    let directory = &if named.is_file() { directory_of(named) } else { named.to_path_buf() };
    let found = read(directory, named)?;
    let names: Vec<&str> = found.workloads.iter().map(|(_, workload)| workload.name.as_str()).collect();
    if let Some(twice) = names.iter().enumerate().find(|(at, name)| names[..*at].contains(name)).map(|(_, name)| name) {
        let files: Vec<&str> =
            found.workloads.iter().filter(|(_, w)| w.name == **twice).map(|(f, _)| f.as_str()).collect();
        return Err(input(
            directory,
            &format!("`{twice}` stands in {}; name a directory that holds it once", files.join(" and ")),
        ));
    }
    let chosen: Vec<&(String, Deployment)> =
        found.workloads.iter().filter(|(_, workload)| only.is_none_or(|only| workload.name == only)).collect();
    if chosen.is_empty() {
        let known =
            if names.is_empty() { String::new() } else { format!(" of this name; it holds {}", names.join(", ")) };
        let help = found.help.as_ref().filter(|_| names.is_empty()).map(|help| format!("\n{help}")).unwrap_or_default();
        return Err(input(named, &format!("holds no Deployment or StatefulSet{known}{help}")));
    }
    if destination.out.is_some() && chosen.len() > 1 {
        let help = format!(
            "--out names one file, but there are several workloads: {}; choose one with --only",
            names.join(", ")
        );
        return Err(input(directory, &help));
    }
    let path_of = |workload: &Deployment| {
        let beside = || directory.join(format!("{}.scenario.yaml", workload.name));
        destination.out.clone().unwrap_or_else(beside)
    };
    // Nothing is written where one of the files may not be.
    for (_, workload) in &chosen {
        destination.refuse_overwriting(&path_of(workload))?;
    }
    for (file, workload) in chosen {
        let path = path_of(workload);
        let scaler = found.autoscalers.iter().find(|(_, hpa)| hpa.target == workload.name);
        write_one(&path, sound(&path, directory, file, workload, scaler)?)?;
        tell_next_steps(&path)?;
    }
    for (file, hpa) in found.autoscalers.iter().filter(|(_, hpa)| !names.contains(&hpa.target.as_str())) {
        note(&format!("note: {file}: autoscaler `{}` scales `{}`, which is not here", hpa.name, hpa.target));
    }
    Ok(())
}

fn input(directory: &Path, words: &str) -> Failure {
    Failure::input(format!("{}: {words}", directory.display()))
}

/// What lies in a directory and in those within it, in order of the names.
#[derive(Default)]
struct Listing {
    manifests: Vec<PathBuf>,
    /// Directories that are to be rendered first.
    kustomizations: Vec<PathBuf>,
    charts: Vec<PathBuf>,
}

/// Names of the file that makes a directory a kustomization.
const KUSTOMIZATION: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// Lists a directory. Kustomizations and charts within it are not entered: their files are patches and templates.
fn list(directory: &Path, is_top: bool, listing: &mut Listing) -> Result<(), Failure> {
    let entries = std::fs::read_dir(directory).map_err(|error| input(directory, &error.to_string()))?;
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    let is_chart = paths.iter().any(|path| path.ends_with("Chart.yaml"));
    let is_kustomization = paths.iter().any(|path| KUSTOMIZATION.iter().any(|name| path.ends_with(name)));
    if is_chart {
        listing.charts.push(directory.to_path_buf());
    } else if is_kustomization {
        listing.kustomizations.push(directory.to_path_buf());
    }
    let is_entered = is_top || !(is_chart || is_kustomization);
    for path in paths {
        let is_hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if path.is_dir() && !path.is_symlink() && !is_hidden {
            list(&path, false, listing)?;
        } else if is_entered
            && path.is_file()
            && path.extension().is_some_and(|ending| ["yaml", "yml", "json"].iter().any(|known| ending == *known))
        {
            listing.manifests.push(path);
        }
    }
    Ok(())
}

impl Listing {
    /// How to come to manifests from what must be rendered first.
    fn help(&self) -> Option<String> {
        // Overlays stand after the base that they build on.
        let overlay = self.kustomizations.last().map(|path| format!("kubectl kustomize {}", path.display()));
        let chart = self.charts.first().map(|path| format!("helm template {}", path.display()));
        let command = overlay.or(chart)?;
        Some(format!(
            "help: render it first: `{command} > manifests.yaml`, then `plimsoll new from-manifests manifests.yaml`"
        ))
    }
}

/// Reads every manifest of a directory and of those within it, or of a file. Files are named from the directory on.
fn read(directory: &Path, named: &Path) -> Result<Found, Failure> {
    let mut listing = Listing::default();
    if named.is_file() {
        listing.manifests.push(named.to_path_buf());
    } else {
        list(named, true, &mut listing)?;
    }
    if listing.charts.iter().any(|chart| chart == named) {
        let help = listing.help().unwrap_or_default();
        return Err(input(named, &format!("this is a Helm chart, not a directory of manifests\n{help}")));
    }
    let mut found = Found::default();
    let mut sink = Diagnostics::new();
    for path in &listing.manifests {
        let name = path.strip_prefix(directory).unwrap_or(path).display().to_string();
        let mut own = Diagnostics::new();
        let text = SourceFile::read(path, MAX_YAML_BYTES).map(|source| source.text().to_string()).unwrap_or_default();
        let manifests = Manifests::read(path, &mut own);
        // Other files may lie beside manifests: values, scenarios, settings of tools.
        let foreign =
            !text.lines().any(|line| line.trim_start().trim_start_matches(['"', '{', ' ']).starts_with("apiVersion"));
        if own.has_errors() && foreign && !text.contains("{{") {
            note(&format!("note: {name}: left alone, it holds no Kubernetes objects"));
            continue;
        }
        if let Some(manifests) = manifests {
            found.workloads.extend(Deployment::all(&manifests, &mut own).into_iter().map(|one| (name.clone(), one)));
            let scalers = manifests.of_kind("HorizontalPodAutoscaler");
            found
                .autoscalers
                .extend(scalers.filter_map(|object| Some((name.clone(), read_manifest(object, &mut own)?))));
        }
        sink.extend(own);
    }
    found.help = listing.help();
    if sink.has_errors() {
        let mut errors = Diagnostics::new();
        sink.iter().filter(|found| found.severity == Severity::Error).for_each(|error| errors.push(error.clone()));
        let help = found.help.map(|help| format!("\n{help}")).unwrap_or_default();
        return Err(Failure::Input(shown(&errors) + &help));
    }
    let rendered = listing.kustomizations.iter().chain(&listing.charts).filter(|path| *path != named);
    if !found.workloads.is_empty() {
        rendered.for_each(|path| note(&format!("note: {}: left alone, it is to be rendered first", path.display())));
    }
    Ok(found)
}

/// What of a scenario may have to be left as a comment.
#[derive(Debug, Clone, Copy)]
struct Parts {
    price: bool,
    hpa: bool,
}

/// The text of the scenario with as much in it as reads without an error.
fn sound(
    path: &Path,
    directory: &Path,
    file: &str,
    workload: &Deployment,
    scaler: Option<&(String, HpaManifest)>,
) -> Result<String, Failure> {
    let manifest = relative(path, directory, file);
    let hpa = scaler.map(|(file, hpa)| (relative(path, directory, file), hpa));
    let hpa = hpa.as_ref().map(|(file, hpa)| (file.as_str(), *hpa));
    let mut first = None;
    for (price, with_hpa) in [(true, true), (false, true), (true, false), (false, false)] {
        let parts = Parts { price, hpa: with_hpa };
        let text = scenario(path, &manifest, workload, hpa, parts);
        let place = tempfile::Builder::new()
            .prefix("plimsoll-new-")
            .suffix(".yaml")
            .tempfile_in(path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new(".")));
        let place = place.map_err(|error| input(path, &error.to_string()))?;
        std::fs::write(place.path(), &text).map_err(|error| input(path, &error.to_string()))?;
        let mut sink = Diagnostics::new();
        if Scenario::read(place.path(), &[], &mut sink).is_some() && !sink.has_errors() {
            return Ok(text);
        }
        first = first.or(Some(sink));
    }
    Err(Failure::Input(shown(&first.unwrap_or_default())))
}

/// How the scenario at `path` names a file of the directory.
fn relative(path: &Path, directory: &Path, file: &str) -> String {
    let same = path.parent() == Some(directory);
    if same {
        return file.to_string();
    }
    let full = std::path::absolute(directory.join(file)).unwrap_or_else(|_| directory.join(file));
    full.display().to_string()
}

/// Service time of a mean request, where nothing is known.
const SERVICE_TIME: SimDuration = SimDuration::from_millis(60);

/// What is guessed of a replica with so many cores: requests at once, milliseconds of CPU of each, and requests a second that take two
/// fifths of the CPU. A full replica uses just what it asks for.
fn guesses(cores: f64) -> (f64, f64, f64) {
    let concurrency = cores.ceil().max(4.0);
    let cpu_ms = (SERVICE_TIME.as_secs_f64() * 1e4 * cores / concurrency).floor().max(1.0) / 10.0;
    (concurrency, cpu_ms, 0.4 * cores * 1e3 / cpu_ms)
}

fn scenario(
    path: &Path,
    manifest: &str,
    workload: &Deployment,
    hpa: Option<(&str, &HpaManifest)>,
    parts: Parts,
) -> String {
    let kind = format!("{:?}", workload.kind);
    let size = workload.replicas.max(hpa.map_or(1, |(_, hpa)| hpa.spec.min_replicas)).clamp(1, 1_000);
    let stated = workload.cpu_request().or(workload.cpu_limit());
    let cores = stated.unwrap_or(Millicores::new(500)).as_cores().max(0.01);
    let (concurrency, cpu_ms, each) = guesses(cores);
    let base = (f64::from(size) * each).max(1.0).round();
    let assumed = if stated.is_none() { " (it states no CPU request: 500m are assumed)" } else { "" };
    let title = serde_json::Value::from(format!("{} under a day's swing", workload.name));
    let name = serde_json::Value::from(workload.name.clone());
    let manifest_text = serde_json::Value::from(manifest);
    let mut text = format!(
        "# {kind} `{}` of {manifest}. Written by `plimsoll new from-manifests`; it runs as it is:\n#\n#   plimsoll run {}\n#\n\
         # The manifest says nothing of traffic and of time: every line marked ASSUMED is a guess to be replaced by a measurement.\n\
         title: {title}\nseed: 1                       # the same seed gives the same requests, to the byte\n\n\
         # ASSUMED: a synthetic day of eight hours whose mean keeps {size} replicas at 40% of their CPU requests{assumed}.\n\
         # With a log of your own write `trace: access.log.gz` in place of `nhpp:`.\n\
         workload:\n  nhpp: {{ sinusoid: {{ mean: {base}/s, amplitude: 0.6, period: 8h }}, for: 8h }}\n\n",
        workload.name,
        path.display(),
    );
    let (ready, ready_from) = start_up(workload);
    text.push_str(&format!(
        "service:\n  name: {name}\n  manifest: {manifest_text}       # replicas, requests, limits, grace period\n\
         \x20 concurrency: {concurrency}              # ASSUMED: requests that one replica serves at once\n\
         \x20 queue-limit: 100            # ASSUMED: requests that wait at a replica; more are turned away\n\
         \x20 service-time: {{ lognormal: {{ mean: {SERVICE_TIME}, cv: 1 }} }}     # ASSUMED: how long a request takes without waiting\n\
         \x20 cpu-per-request: {cpu_ms}ms      # ASSUMED: CPU of a mean request, within its service time\n\
         \x20 start-up: {{ image-pull: 15s, ready: {ready} }}     # ASSUMED: {ready_from}\n\
         \x20 timeout: 5s                 # ASSUMED: what clients wait\n",
    ));
    let mark = if parts.price { "" } else { "# " };
    let why = if parts.price {
        "ASSUMED: AWS Fargate"
    } else {
        "no size of AWS Fargate holds such a pod; name what it costs"
    };
    text.push_str(&format!("  {mark}price: {{ container: fargate }}        # {why}; or `$0.05/h` per replica\n\n"));
    text.push_str(&custom_metrics(hpa.filter(|_| parts.hpa).map(|(_, hpa)| hpa)));
    text.push_str(
        "# ASSUMED: what clients are promised.\nobjectives:\n  - latency: { within: 500ms, target: 99% }\n  - availability: 99.9%\n\n",
    );
    text.push_str(&format!(
        "# Every policy sees the same requests. `plimsoll list policies` names the others.\npolicies:\n  as-it-is: {{ static: {{ replicas: {size} }} }}\n"
    ));
    let mark = if parts.hpa { "" } else { "# " };
    let (why, policy) = match hpa {
        Some((file, hpa)) => {
            let cannot = format!("Autoscaler `{}` of {file} cannot work on these pods as they are", hpa.name);
            ((!parts.hpa).then_some(cannot), format!("{{ manifest: {} }}", serde_json::Value::from(file)))
        }
        None => {
            let none = format!("ASSUMED: no autoscaler in the directory scales `{}`", workload.name);
            (Some(none), format!("{{ min: {size}, max: {}, target: {{ cpu: 60% }} }}", size * 5))
        }
    };
    text.extend(why.map(|why| format!("  # {why}.\n")));
    if !parts.hpa {
        text.push_str("  # Most often a CPU or memory request is missing in the manifest; without the marks `plimsoll check` says what.\n");
    }
    text.push_str(&format!("  {mark}hpa: {{ hpa: {policy} }}\n"));
    text
}

/// From running to ready: what the readiness probe waits, or a guess of what the program itself takes; with a note on it.
fn start_up(workload: &Deployment) -> (String, &'static str) {
    let delay = workload.readiness().map(|probe| probe.initial_delay).filter(|delay| !delay.is_zero());
    match delay {
        Some(delay) => (delay.to_string(), "the pull; ready by the readiness probe's initial delay"),
        None => ("10s".to_string(), "from the node to the first request"),
    }
}

/// Names of metrics that only the user's adapter knows, each with the measure that it may stand for.
fn custom_metrics(hpa: Option<&HpaManifest>) -> String {
    let mut names: Vec<&str> =
        hpa.iter().flat_map(|hpa| &hpa.spec.metrics).filter_map(|metric| metric.custom_name()).collect();
    names.sort_unstable();
    names.dedup();
    names.retain(|name| measure_named(name, &[]).is_none());
    if names.is_empty() {
        return String::new();
    }
    let mut text = "# ASSUMED: what the names of your metrics adapter stand for (`request-rate`, `in-flight`, `queue-length`, `latency-p95` ...).\nmetrics:\n  custom:\n".to_string();
    for name in names {
        let has = |words: &[&str]| words.iter().any(|word| name.to_lowercase().contains(word));
        let measure = if has(&["queue", "lag", "backlog", "messages", "pending"]) {
            "queue-length"
        } else if has(&["per_second", "rate", "rps", "qps", "total"]) {
            "request-rate"
        } else {
            "in-flight"
        };
        text.push_str(&format!("    {}: {measure}\n", serde_json::Value::from(name)));
    }
    text + "\n"
}
