//! The one thread that writes: it takes what has gathered in the queue, commits it as one transaction, and tells
//! those who wait.

use std::cell::Cell;
use std::fs::File;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crossbeam_channel::Receiver;
use rusqlite::{Connection, ErrorCode, TransactionBehavior, params};

use super::feed::Feed;
use super::grants::Departed;
use super::health::Health;
use super::ids::Ids;
use super::queue::{Job, Queue};
use super::rows::Tx;
use super::{CatalogError, sql};
use crate::observe::{Counter, Observer};

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
        departed.watch(&conn).map_err(CatalogError::Read)?;
        let gone = SayGone(Arc::clone(&queue));
        let writer =
            Writer { conn, generation, jobs, queue, health, ids, feed, departed, observer, _lock: lock };
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
        }
        self.finish();
    }

    /// Commits `batch` or gives it up, and answers those who wait.
    fn commit(&mut self, batch: &[Job]) {
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
    }

    /// One transaction. A write that the schema refuses fails alone; anything else fails the batch.
    ///
    /// The generation is that of the last change: a batch that changes nothing leaves it.
    fn try_commit(&mut self, batch: &[Job]) -> rusqlite::Result<Outcomes> {
        let generation = self.generation.saturating_add(1);
        self.departed.begin();
        let sql_tx = self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut tx = Tx {
            conn: &sql_tx,
            generation,
            now: now(),
            ids: &self.ids,
            log: self.feed.log(),
            stamped: Cell::new(false),
        };
        let mut outcomes = Vec::with_capacity(batch.len());
        for job in batch {
            outcomes.push(match job.write.apply(&mut tx) {
                Ok(value) => Ok(value),
                Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
                    log::error!("catalog: a write was refused: {error}");
                    self.health.failed(&error);
                    Err(Arc::new(error))
                }
                Err(error) => return Err(error),
            });
        }
        let (stamped, log) = (tx.stamped.get(), tx.log);
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
