//! The one thread that writes: it takes what has gathered in the queue, commits it as one transaction, and tells
//! those who wait.

use std::cell::Cell;
use std::fs::File;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use crossbeam_channel::Receiver;
use rusqlite::{Connection, ErrorCode, TransactionBehavior, params};

use super::feed::Feed;
use super::grants::Departed;
use super::health::Health;
use super::ids::Ids;
use super::merge::Merged;
use super::queue::{Job, Queue};
use super::rows::Tx;
use super::write::Write;
use super::{CatalogError, sql};
use crate::observe::{Counter, Observer};

/// Shortest time between two attempts to shorten the log.
const LOG_REST: Duration = Duration::from_secs(20);

/// A transaction that has changed so many rows has no room for another write: others wait for what it holds.
const MOST_ROWS: usize = 8192;

/// Where SQLite keeps what takes a statement back that fails halfway: the pages as they were, which is up to all of them. In a
/// temporary file it costs more than the change of a row itself, as a page of each index is written there once more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Undo {
    Memory,
    File,
}

impl Undo {
    /// Has it kept there from the next transaction on (`PRAGMA temp_store`). What is temporary on the connection goes with each change:
    /// the triggers that `departed` has there are made anew.
    fn put(self, conn: &Connection, departed: &Arc<Departed>) -> rusqlite::Result<()> {
        let store = match self {
            Undo::Memory => "MEMORY",
            Undo::File => "FILE",
        };
        conn.pragma_update(None, "temp_store", store)?;
        departed.watch(conn)
    }
}

/// The writer's belongings. The lock on the state directory goes when it does.
pub(super) struct Writer {
    conn: Connection,
    generation: i64,
    jobs: Receiver<Job>,
    queue: Arc<Queue>,
    health: Arc<Health>,
    ids: Arc<Ids>,
    feed: Arc<Feed>,
    departed: Arc<Departed>,
    observer: Arc<Observer>,
    /// When the log was folded in for its length.
    shortened: Option<Instant>,
    /// Unknown after it could not be changed.
    undo: Option<Undo>,
    _lock: File,
}

/// What it shares with the others.
pub(super) struct Shared {
    pub(super) queue: Arc<Queue>,
    pub(super) health: Arc<Health>,
    pub(super) ids: Arc<Ids>,
    pub(super) feed: Arc<Feed>,
    pub(super) departed: Arc<Departed>,
}

/// Says that the writer has ended, however it ended.
struct SayGone(Arc<Queue>);

impl Drop for SayGone {
    fn drop(&mut self) {
        self.0.set_gone();
    }
}

type Outcomes = Vec<Result<i64, Arc<rusqlite::Error>>>;

impl Writer {
    /// Starts the thread. `conn` is the open, migrated catalog, already marked as not clean.
    pub(super) fn start(
        conn: Connection,
        lock: File,
        jobs: Receiver<Job>,
        shared: Shared,
        observer: Arc<Observer>,
    ) -> Result<(), CatalogError> {
        let generation =
            conn.query_row(sql::META_GET, ["generation"], |row| row.get(0)).map_err(CatalogError::Read)?;
        let Shared { queue, health, ids, feed, departed } = shared;
        Undo::Memory.put(&conn, &departed).map_err(CatalogError::Read)?;
        let gone = SayGone(Arc::clone(&queue));
        let writer = Writer {
            conn,
            generation,
            jobs,
            queue,
            health,
            ids,
            feed,
            departed,
            observer,
            shortened: None,
            undo: Some(Undo::Memory),
            _lock: lock,
        };
        let body = move || {
            // Dropped after the writer: who saw it go may open the same catalog again.
            let _gone = gone;
            writer.run();
        };
        std::thread::Builder::new()
            .name("catalog-w".to_owned())
            .spawn(body)
            .map(drop)
            .map_err(CatalogError::Thread)
    }

    fn run(mut self) {
        let limit = self.queue.limits.batch;
        let mut batch = Vec::with_capacity(limit);
        while let Ok(first) = self.jobs.recv() {
            batch.push(first);
            self.queue.linger();
            batch.extend(self.jobs.try_iter().take(limit - 1));
            self.commit(&batch);
            batch.clear();
            self.shorten_log();
        }
        self.finish();
    }

    /// Folds the log in where readers that follow one another have kept it from beginning anew. None of them reads for longer
    /// than a question may take, and while this waits for them nothing is added that the next ones would need.
    fn shorten_log(&mut self) {
        let Some(path) = self.conn.path().map(|it| format!("{it}-wal")) else { return };
        let is_long = std::fs::metadata(path).is_ok_and(|log| log.len() > self.queue.limits.log);
        if !is_long || self.shortened.is_some_and(|it| it.elapsed() < LOG_REST) {
            return;
        }
        let wait = self.queue.limits.question + Duration::from_secs(1);
        let shortened = self.conn.busy_timeout(wait).and_then(|()| {
            let folded = self.conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
            self.conn.busy_timeout(self.queue.limits.busy_wait).and(folded)
        });
        self.shortened = Some(Instant::now());
        if let Err(error) = shortened {
            log::warn!("catalog: its log is long and could not be folded in: {error}");
        }
    }

    /// Commits all of `batch` or gives it up.
    fn commit(&mut self, mut batch: &[Job]) {
        while !batch.is_empty() {
            let done = self.commit_some(batch);
            batch = batch.get(done..).unwrap_or_default();
        }
    }

    /// Commits as much of `batch` as one transaction has room for, or gives it up, and answers those who wait. How many
    /// writes that were.
    fn commit_some(&mut self, batch: &[Job]) -> usize {
        let mut attempt = 1;
        let result = loop {
            match self.try_commit(batch) {
                Err(error) if attempt < self.queue.limits.attempts && may_pass(&error) => {
                    log::warn!("catalog: attempt {attempt} to commit {} writes failed: {error}", batch.len());
                    self.observer.count(Counter::CatalogErrors);
                    attempt += 1;
                    std::thread::sleep(Duration::from_millis(50));
                }
                other => break other,
            }
        };
        let outcomes: Outcomes = match result {
            Ok(outcomes) => {
                self.observer.count(Counter::CatalogCommits);
                outcomes
            }
            Err(error) => {
                log::error!("catalog: {} writes are lost: {error}", batch.len());
                self.health.failed(&error);
                let error = Arc::new(error);
                batch.iter().map(|_| Err(Arc::clone(&error))).collect()
            }
        };
        let batch = batch.get(..outcomes.len()).unwrap_or_default();
        let mut failed = Vec::new();
        // Marks come before the numbers move: who saw the flush fail finds them.
        for (job, outcome) in batch.iter().zip(&outcomes) {
            if outcome.is_err() {
                let volume = job.write.volume();
                self.queue.mark(volume);
                failed.push(volume);
            }
        }
        self.observer.count_by(Counter::CatalogWrites, (batch.len() - failed.len()) as u64);
        self.observer.count_by(Counter::CatalogDropped, failed.len() as u64);
        self.queue.advance(batch.len(), &failed);
        for (job, outcome) in batch.iter().zip(outcomes) {
            if let Some(reply) = &job.reply {
                // The caller may have given up waiting.
                let _ = reply.try_send(outcome.map_err(CatalogError::Write));
            }
        }
        batch.len()
    }

    /// One transaction, of as many of the writes as it has room for. A write that the schema refuses fails alone; anything else fails the batch.
    ///
    /// The generation is that of the last change: a batch that changes nothing leaves it.
    fn try_commit(&mut self, batch: &[Job]) -> rusqlite::Result<Outcomes> {
        let generation = self.generation.saturating_add(1);
        self.departed.begin();
        self.keep_undo(batch)?;
        let sql_tx = self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut tx = Tx {
            conn: &sql_tx,
            generation,
            now: now(),
            ids: &self.ids,
            log: self.feed.log(),
            stamped: Cell::new(0),
        };
        let mut outcomes = Vec::with_capacity(batch.len());
        let merged = Merged::of(batch);
        for ((at, job), number) in batch.iter().enumerate().zip(self.queue.next_number()..) {
            if tx.stamped.get() >= MOST_ROWS {
                break;
            }
            if job.write.hides().is_some_and(|tree| self.queue.is_outdone(&tree, number)) {
                outcomes.push(Ok(0));
                continue;
            }
            if merged.is_said(at) {
                outcomes.push(Ok(1));
                continue;
            }
            let applied = match &job.write {
                Write::Upsert(key, row, recorded) => {
                    let later = merged.row(at, row);
                    tx.upsert(key, later.as_ref().unwrap_or(row), recorded)
                }
                write => write.apply(&mut tx),
            };
            outcomes.push(match applied {
                Ok(value) => Ok(value),
                Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
                    log::error!("catalog: a write was refused: {error}");
                    self.health.failed(&error);
                    Err(Arc::new(error))
                }
                Err(error) => return Err(error),
            });
        }
        let (stamped, log) = (tx.stamped.get() > 0, tx.log);
        if stamped {
            sql_tx.prepare_cached(sql::META_SET)?.execute(params!["generation", generation])?;
        }
        self.ids.reserve(&sql_tx)?;
        sql_tx.commit()?;
        if stamped {
            self.generation = generation;
        }
        self.departed.tell();
        self.feed.tell(generation, log);
        Ok(outcomes)
    }

    /// Takes the memory for statements of a few rows. It is decided when a transaction begins (SQLite's pager.c,
    /// `sqlite3PagerBegin`).
    fn keep_undo(&mut self, batch: &[Job]) -> rusqlite::Result<()> {
        let many = batch.iter().any(|job| job.write.changes_many());
        let undo = if many { Undo::File } else { Undo::Memory };
        if self.undo != Some(undo) {
            self.undo = None;
            undo.put(&self.conn, &self.departed)?;
            self.undo = Some(undo);
        }
        Ok(())
    }

    /// The orderly end: what still needs a reconcile is written down, then that everything is. Without the last
    /// mark the next start does not trust the catalog to be complete.
    fn finish(mut self) {
        self.feed.close();
        if self.health.is_suspect() {
            return;
        }
        if let Err(error) = self.mark_clean() {
            log::error!(
                "catalog: it could not be closed in order and will be reconciled at the next start: {error}"
            );
            self.health.failed(&error);
        }
    }

    fn mark_clean(&mut self) -> rusqlite::Result<()> {
        let tx = self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for volume in self.queue.take_marks() {
            tx.execute(sql::VOLUME_SET_RECONCILED, params![volume.0, false])?;
        }
        self.ids.release(&tx)?;
        tx.execute(sql::META_SET, params!["clean", 1])?;
        tx.commit()?;
        // Also what makes the mark survive a power cut: commits are not synced, checkpoints are.
        self.conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
    }
}

/// True for what may be different in a moment: another program's lock, a full disk, a failing read.
fn may_pass(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(
            ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::DiskFull
                | ErrorCode::SystemIoFailure
                | ErrorCode::OutOfMemory
        )
    )
}

/// Seconds since 1970.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
