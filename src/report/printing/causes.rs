//! Shares of the bad requests by cause, as they are printed.

use crate::engine::{Cause, Causes, ObjectiveRecord};

/// A cause in words. Of an availability objective there is no limit but the client's patience.
pub(crate) fn cause_words(cause: Cause, objective: &ObjectiveRecord) -> &'static str {
    match (cause, objective.within) {
        (Cause::ServiceTime, None) => "longer than the client's time-out by itself",
        _ => cause.words(),
    }
}

/// The share of each cause in tenths of a per cent, rounded by largest remainders so that they add up to a thousand; nothing if
/// no request was bad.
pub(crate) fn tenths(causes: &Causes) -> Option<[u64; Cause::ALL.len()]> {
    let total = u128::from(causes.total());
    if total == 0 {
        return None;
    }
    let exact = Cause::ALL.map(|cause| u128::from(causes.of(cause)) * 1000);
    let mut shares = exact.map(|part| (part / total) as u64);
    let mut order: Vec<usize> = (0..shares.len()).collect();
    order.sort_by_key(|index| std::cmp::Reverse(exact[*index] % total));
    let missing = 1000 - shares.iter().sum::<u64>();
    order.into_iter().take(missing as usize).for_each(|index| shares[index] += 1);
    Some(shares)
}

/// `61.2%`; a share that is not nothing but rounds to it is `<0.1%`.
pub(crate) fn share_text(causes: &Causes, cause: Cause) -> Option<String> {
    let tenths = tenths(causes)?[cause as usize];
    Some(match (tenths, causes.of(cause)) {
        (0, 0) => "0%".into(),
        (0, _) => "<0.1%".into(),
        (1000, _) => "100%".into(),
        _ => format!("{}.{}%", tenths / 10, tenths % 10),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Fate;

    #[test]
    fn shares_add_up() {
        let mut causes = Causes::default();
        assert_eq!(tenths(&causes), None);
        for cause in [Cause::TooFewReplicas, Cause::StartUp, Cause::Crash] {
            causes.add(cause, Fate::Completed, 1);
        }
        let shares = tenths(&causes).unwrap();
        assert_eq!((shares.iter().sum::<u64>(), shares[0], shares[6]), (1000, 334, 333));
        causes.add(Cause::Crash, Fate::Failed, 1_000_000);
        assert_eq!(share_text(&causes, Cause::StartUp).unwrap(), "<0.1%");
        assert_eq!(share_text(&causes, Cause::Retry).unwrap(), "0%");
    }
}
