//! Brings a catalog to this program's version, which `PRAGMA user_version` holds.

use rusqlite::{Connection, TransactionBehavior};

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
pub(super) fn migrate(conn: &mut Connection, steps: &[&str]) -> rusqlite::Result<()> {
    let from = version(conn)?;
    for (at, step) in (0_i64..).zip(steps) {
        if at < from {
            continue;
        }
        let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        tx.execute_batch(step)?;
        tx.pragma_update(None, "user_version", at + 1)?;
        tx.commit()?;
    }
    Ok(())
}
