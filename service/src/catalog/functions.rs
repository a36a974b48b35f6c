//! What the writer's statements compute beyond SQL.

use rusqlite::Connection;
use rusqlite::functions::FunctionFlags;
use sha2::{Digest, Sha256};

/// The number of a directory, given in its stored form: the same for any spelling in ASCII case, another in each tree.
/// Nobody can make two directories of one number on purpose, nor does it happen by chance.
pub(super) fn bucket_of(volume: i64, user: u32, dir: &[u8]) -> i64 {
    let mut hash = Sha256::new();
    hash.update(volume.to_le_bytes());
    hash.update(user.to_le_bytes());
    hash.update(dir.to_ascii_lowercase());
    let hash = hash.finalize();
    let first = hash.iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    // Never negative: it ends up in query strings.
    (first >> 1).cast_signed()
}

/// Teaches a connection `bucket_of`, which no schema names: other programs can still read and write the file.
pub(super) fn teach(conn: &Connection) -> rusqlite::Result<()> {
    let flags =
        FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_DIRECTONLY;
    conn.create_scalar_function("bucket_of", 3, flags, |call| {
        Ok(bucket_of(call.get(0)?, call.get(1)?, call.get_raw(2).as_bytes()?))
    })
}
