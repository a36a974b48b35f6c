//! How many questions one uid may have asked of the index at the same time. One more waits for its turn, on the thread of its
//! own connection; so nobody's questions keep all cores, or the log, to themselves.
//!
//! Lock: `asking`, a leaf.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use crate::control::ControlError;

/// Questions of one uid at the same time.
const PER_UID: usize = 4;
/// Longest wait for a turn: longer than a question may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Who asks.
#[derive(Debug, Default)]
pub(in crate::serve) struct Turns {
    asking: Mutex<HashMap<u32, usize>>,
    over: Condvar,
}

impl Turns {
    /// Waits for a turn, which lasts until it is dropped.
    pub(super) fn of(&self, uid: u32) -> Result<Turn<'_>, ControlError> {
        self.within(uid, PATIENCE)
    }

    fn within(&self, uid: u32, patience: Duration) -> Result<Turn<'_>, ControlError> {
        let deadline = Instant::now() + patience;
        let mut asking = self.asking.lock();
        while asking.get(&uid).is_some_and(|count| *count >= PER_UID) {
            if self.over.wait_until(&mut asking, deadline).timed_out() {
                return Err(ControlError::Failed(format!(
                    "uid {uid} asks too many questions at the same time; {PER_UID} are answered at once"
                )));
            }
        }
        *asking.entry(uid).or_default() += 1;
        Ok(Turn { turns: self, uid })
    }
}

/// A question that is being answered.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    turns: &'a Turns,
    uid: u32,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut asking = self.turns.asking.lock();
        if let Some(count) = asking.get_mut(&self.uid) {
            *count -= 1;
            if *count == 0 {
                asking.remove(&self.uid);
            }
        }
        drop(asking);
        self.turns.over.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uid_waits_for_its_own_questions_only() {
        let turns = Turns::default();
        let mut all: Vec<_> = (0..PER_UID).map(|_| turns.of(7).unwrap()).collect();
        assert!(turns.within(7, Duration::from_millis(10)).is_err());
        drop(turns.within(8, Duration::ZERO).unwrap());
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| turns.of(7).is_ok());
            all.pop();
            assert!(waiting.join().unwrap());
        });
        all.clear();
        assert!(turns.asking.lock().is_empty());
    }
}
