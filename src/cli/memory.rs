//! The memory that a run may take.

use std::sync::OnceLock;

use super::failure::Failure;
use crate::experiment::memory_needed;
use crate::scenario::Scenario;
use crate::units::Bytes;

/// What --max-memory says.
static STATED: OnceLock<Option<Bytes>> = OnceLock::new();

/// Notes what --max-memory says, once.
pub(super) fn state(allowed: Option<Bytes>) {
    let _ = STATED.set(allowed);
}

/// Bytes that may be taken, and whether somebody said so; `None` where nothing is known of the machine.
pub(super) fn allowed() -> Option<(u64, bool)> {
    match STATED.get().copied().flatten() {
        Some(stated) => Some((stated.get(), true)),
        None => half_of_the_machine().map(|half| (half, false)),
    }
}

/// Half of the memory of the machine, or of the container that the process runs in.
fn half_of_the_machine() -> Option<u64> {
    let mut system = sysinfo::System::new();
    system.refresh_memory();
    let container = system.cgroup_limits().map_or(u64::MAX, |limits| limits.total_memory);
    let all = system.total_memory().min(container.max(1));
    (all > 0).then_some(all / 2)
}

/// Refuses a scenario whose runs would take more than is allowed, `threads` at once (0 for all cores).
pub(super) fn check(scenario: &Scenario, threads: usize) -> Result<(), Failure> {
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    let need = memory_needed(scenario, if threads == 0 { cores() } else { threads });
    let Some((allowed, stated)) = allowed().filter(|(allowed, _)| need.bytes > *allowed) else { return Ok(()) };
    Err(refusal(&scenario.path.display().to_string(), need.bytes, &need.most_of_it, (allowed, stated)))
}

/// What is said of a need that is not allowed.
pub(super) fn refusal(of: &str, bytes: u64, why: &str, (allowed, stated): (u64, bool)) -> Failure {
    let of_what = if stated { "--max-memory allows" } else { "the default limit, half of this machine, is" };
    let help = format!("allow more with --max-memory {}Mi, or make the run smaller", bytes.div_ceil(1 << 20));
    let (bytes, allowed) = (shown(bytes), shown(allowed));
    Failure::input(format!("{of} would use about {bytes} of memory ({why}); {of_what} {allowed}\nhelp: {help}"))
}

fn shown(bytes: u64) -> String {
    match bytes as f64 / f64::from(1 << 20) {
        mebibytes if mebibytes < 1024.0 => format!("{mebibytes:.0} MiB"),
        mebibytes => format!("{:.1} GiB", mebibytes / 1024.0),
    }
}
