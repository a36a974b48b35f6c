//! Brings a catalog to this program's version, which `PRAGMA user_version` holds.

use rusqlite::config::DbConfig;
use rusqlite::{Connection, TransactionBehavior};

use super::functions;

/// The version that `steps` lead to.
pub(super) fn newest(steps: &[&str]) -> i64 {
    i64::try_from(steps.len()).unwrap_or(i64::MAX)
}

/// The version of an open catalog; 0 for an empty file.
pub(super) fn version(conn: &Connection) -> rusqlite::Result<i64> {
    conn.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Runs the steps that are missing, each with its new version number in one transaction: a step that fails, or a
/// crash in its middle, leaves the version before it. A version beyond the last step is the caller's to refuse.
///
/// A step may make a table anew, so foreign keys are off while it runs (within a transaction they could not be
/// switched), and checked at its end.
pub(super) fn migrate(conn: &mut Connection, steps: &[&str]) -> rusqlite::Result<()> {
    let from = version(conn)?;
    if from >= newest(steps) {
        return Ok(());
    }
    functions::teach(conn)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, false)?;
    let outcome = run(conn, steps, from);
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, true)?;
    outcome
}

fn run(conn: &mut Connection, steps: &[&str], from: i64) -> rusqlite::Result<()> {
    for (at, step) in (0_i64..).zip(steps) {
        if at < from {
            continue;
        }
        let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        tx.execute_batch(step)?;
        let broken = tx.prepare("PRAGMA foreign_key_check")?.exists([])?;
        if broken {
            return Err(rusqlite::Error::SqliteFailure(
                rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CONSTRAINT_FOREIGNKEY),
                Some(format!("step {} leaves rows that refer to nothing", at + 1)),
            ));
        }
        tx.pragma_update(None, "user_version", at + 1)?;
        tx.commit()?;
    }
    Ok(())
}
