//! The back-off of pods that could not be placed.

/// The first wait, in seconds (`podInitialBackoffSeconds`).
const FIRST: u64 = 1;
/// The longest wait, in seconds (`podMaxBackoffSeconds`).
const LONGEST: u64 = 10;

/// How many seconds after its last attempt a pod may be tried again, once something has changed that might help, after
/// `attempts` attempts: 1, 2, 4, 8, then 10 (`calculateBackoffDuration` in kubernetes `scheduler/backend/queue`).
pub fn back_off(attempts: u32) -> u64 {
    match attempts {
        0 => 0,
        _ => FIRST.checked_shl(attempts - 1).map_or(LONGEST, |wait| wait.clamp(FIRST, LONGEST)),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn doubles_up_to_ten_seconds() {
        let waits: Vec<u64> = [0, 1, 2, 3, 4, 5, 6, 64, 65, u32::MAX].into_iter().map(super::back_off).collect();
        assert_eq!(waits, [0, 1, 2, 4, 8, 10, 10, 10, 10, 10]);
    }
}
