//! Keeps what is checked below a directory true until the directory is renamed.
//!
//! A rename of a directory is checked file by file, which takes a while, and the kernel's locks do not cover what is
//! deeper than the directory itself: a file that another app makes meanwhile would be carried off unchecked. So whoever puts
//! a name into a directory says so ([`Gate::fill`]), and a rename whose tree was filled since its check began is checked
//! again ([`Gate::commit`]). Nobody waits but for the one system call that renames.
//!
//! # Locks
//! `state` is taken before the places of files, and is not held across anything else. Whoever waits holds nothing.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use super::{OpError, Volume};
use crate::access::Subject;
use crate::node::File;

/// Longest wait for a rename's system call.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Debug, Default)]
struct State {
    next: u64,
    /// Directories that a name is being put into.
    filling: HashMap<u64, Arc<File>>,
    /// Trees that are being checked, and whether anything was put into them since that began.
    checking: HashMap<u64, (Arc<File>, bool)>,
    /// Trees that are being renamed right now.
    moving: HashMap<u64, Arc<File>>,
}

impl State {
    fn ticket(&mut self) -> u64 {
        self.next += 1;
        self.next
    }
}

/// The gate of one volume.
#[derive(Debug, Default)]
pub struct Gate {
    state: Mutex<State>,
    moved: Condvar,
}

impl Gate {
    /// A name is about to be put into `dir`; until the guard is dropped.
    pub fn fill(&self, dir: &Arc<File>) -> Result<Filling<'_>, OpError> {
        let deadline = Instant::now() + PATIENCE;
        let mut state = self.state.lock();
        while state.moving.values().any(|tree| dir.is_within(tree)) {
            if self.moved.wait_until(&mut state, deadline).timed_out() {
                return Err(OpError::Busy);
            }
        }
        for (tree, filled) in state.checking.values_mut() {
            *filled |= dir.is_within(tree);
        }
        let ticket = state.ticket();
        state.filling.insert(ticket, Arc::clone(dir));
        Ok(Filling { gate: self, ticket })
    }

    /// The files below `tree` are about to be checked.
    pub fn check(&self, tree: &Arc<File>) -> Checking<'_> {
        let mut state = self.state.lock();
        let filled = state.filling.values().any(|dir| dir.is_within(tree));
        let ticket = state.ticket();
        state.checking.insert(ticket, (Arc::clone(tree), filled));
        Checking { gate: self, ticket }
    }
}

impl Volume {
    /// [`Gate::fill`], for what was decided about as `decided`, in `dir`.
    ///
    /// # Errors
    ///
    /// Stale, when the directory has been renamed since that was decided: what holds in its new place is another question.
    pub fn fill(&self, dir: &Arc<File>, decided: &Subject) -> Result<Filling<'_>, OpError> {
        let filling = self.gate.fill(dir)?;
        let path = decided.lower_path();
        let above = path.iter().rposition(|byte| *byte == b'/').map_or(&b""[..], |end| &path[..end]);
        if dir.path() == above { Ok(filling) } else { Err(OpError::Stale) }
    }
}

/// Somebody is putting a name into a directory.
#[derive(Debug)]
pub struct Filling<'a> {
    gate: &'a Gate,
    ticket: u64,
}

impl Drop for Filling<'_> {
    fn drop(&mut self) {
        self.gate.state.lock().filling.remove(&self.ticket);
    }
}

/// A tree is being checked.
#[derive(Debug)]
pub struct Checking<'a> {
    gate: &'a Gate,
    ticket: u64,
}

impl<'a> Checking<'a> {
    /// The tree is about to be renamed, until the guard is dropped; `None` if something was put into it since the check
    /// began, so that it has to be checked again.
    pub fn commit(self) -> Option<Moving<'a>> {
        let mut state = self.gate.state.lock();
        let (tree, filled) = state.checking.remove(&self.ticket)?;
        if filled {
            return None;
        }
        let ticket = state.ticket();
        state.moving.insert(ticket, tree);
        Some(Moving { gate: self.gate, ticket })
    }
}

impl Drop for Checking<'_> {
    fn drop(&mut self) {
        self.gate.state.lock().checking.remove(&self.ticket);
    }
}

/// A tree is being renamed.
#[derive(Debug)]
pub struct Moving<'a> {
    gate: &'a Gate,
    ticket: u64,
}

impl Drop for Moving<'_> {
    fn drop(&mut self) {
        self.gate.state.lock().moving.remove(&self.ticket);
        self.gate.moved.notify_all();
    }
}

#[cfg(test)]
#[path = "gate_tests.rs"]
mod tests;
