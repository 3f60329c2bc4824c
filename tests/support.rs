//! Shared by several test modules: finding reference files, and printing messages past the test harness.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// Prints a line past the test harness, which hides the output of tests that pass.
pub fn announce(line: &str) {
    // If standard output is closed, the message is lost.
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

/// The directory of reference data outside the project, named by `PLIMSOLL_REFERENCE`.
///
/// # Panics
/// If the variable names something that is not a directory: the data would be skipped silently.
pub fn reference_directory() -> Option<PathBuf> {
    let path = PathBuf::from(std::env::var_os("PLIMSOLL_REFERENCE")?);
    assert!(path.is_dir(), "PLIMSOLL_REFERENCE names {}, which is not a directory", path.display());
    Some(path)
}

/// Every `*.json` of `area`: those committed in `tests/reference/AREA`, then those in `$PLIMSOLL_REFERENCE/AREA`, each in
/// order of their names.
///
/// # Panics
/// If a directory cannot be read, or the committed one holds no file.
pub fn reference_files(area: &str) -> Vec<PathBuf> {
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference").join(area);
    let mut files = json_files(&committed);
    assert!(!files.is_empty(), "{} holds no reference file", committed.display());
    if let Some(directory) = reference_directory().map(|d| d.join(area)).filter(|d| d.is_dir()) {
        files.extend(json_files(&directory));
    }
    files
}

/// Runs every case of an area by the reference data contract: prints `AREA: passed N of M` and the names of those that
/// fail, and fails if any does. `check` gets the file's name, the whole document and the case.
///
/// # Panics
/// If a file cannot be read, states a wrong number of cases, or a case fails.
pub fn prove(area: &str, check: impl Fn(&str, &Value, &Value) -> Result<(), String>) {
    prove_those(area, |_| true, check);
}

/// [`prove`] for the cases that are `modelled`; the others are announced and not counted.
pub fn prove_those(
    area: &str,
    modelled: impl Fn(&Value) -> bool,
    check: impl Fn(&str, &Value, &Value) -> Result<(), String>,
) {
    let (mut total, mut failures) = (0, Vec::new());
    for path in reference_files(area) {
        let shown = path.display();
        let file = path.file_name().and_then(|name| name.to_str()).unwrap_or_else(|| panic!("{shown}"));
        let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{shown}: {e}"));
        let document: Value = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{shown}: {e}"));
        let cases = document["cases"].as_array().unwrap_or_else(|| panic!("{shown}: no cases"));
        assert_eq!(document["count"].as_u64(), Some(cases.len() as u64), "{shown}: wrong count");
        let (known, left): (Vec<&Value>, Vec<&Value>) = cases.iter().partition(|case| modelled(case));
        if let Some(first) = left.first() {
            let kind = &first["kind"];
            announce(&format!("{area}: NOT MODELLED, not counted: {} cases of {shown}, such as {kind}", left.len()));
        }
        for case in known {
            total += 1;
            let unwinding = std::panic::AssertUnwindSafe(|| check(file, &document, case));
            // A case that cannot be read is one failure, not the end of the run.
            let result = std::panic::catch_unwind(unwinding);
            if let Err(problem) = result.unwrap_or_else(|_| Err("the case panicked (see above)".into())) {
                failures.push(format!("{shown} {}: {problem}", case["name"]));
            }
        }
    }
    announce(&format!("{area}: passed {} of {total}", total - failures.len()));
    failures.iter().for_each(|failure| announce(&format!("{area}: FAILED {failure}")));
    assert!(failures.is_empty(), "{} of {total} cases failed:\n{}", failures.len(), failures.join("\n"));
}

fn json_files(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).unwrap_or_else(|e| panic!("{}: {e}", directory.display()));
    let paths = entries.map(|entry| entry.unwrap_or_else(|e| panic!("{}: {e}", directory.display())).path());
    let mut files: Vec<PathBuf> = paths.filter(|path| path.extension().is_some_and(|e| e == "json")).collect();
    files.sort();
    files
}
