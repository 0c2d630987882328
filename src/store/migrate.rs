//! The schema's versions: `schema/NNNN_name.sql`, applied in order, each in one transaction that also moves
//! `PRAGMA user_version`. A killed migration therefore leaves the version before it. A file with rows in it is
//! copied to `NAME.before-vN.bak` first. A file from a newer program is refused, never touched.

use super::error::{Error, Result};
use super::open::{APPLICATION_ID, beside};
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};
use std::path::Path;

/// Name and text of every migration; the version of a file is how many of them it has seen.
pub const MIGRATIONS: [(&str, &str); 12] = [
    ("0001_inputs", include_str!("../../schema/0001_inputs.sql")),
    ("0002_runs", include_str!("../../schema/0002_runs.sql")),
    ("0003_results", include_str!("../../schema/0003_results.sql")),
    ("0004_search", include_str!("../../schema/0004_search.sql")),
    (
        "0005_price_archive",
        include_str!("../../schema/0005_price_archive.sql"),
    ),
    (
        "0006_support_archive",
        include_str!("../../schema/0006_support_archive.sql"),
    ),
    ("0007_desk", include_str!("../../schema/0007_desk.sql")),
    ("0008_lists", include_str!("../../schema/0008_lists.sql")),
    ("0009_daemon", include_str!("../../schema/0009_daemon.sql")),
    ("0010_day", include_str!("../../schema/0010_day.sql")),
    ("0011_shelf", include_str!("../../schema/0011_shelf.sql")),
    ("0012_live", include_str!("../../schema/0012_live.sql")),
];

/// The newest version this program knows.
pub fn known() -> i64 {
    MIGRATIONS.len() as i64
}

/// The version of an existing file, and the names of the migrations it has not seen. Changes nothing.
pub fn pending(path: &Path) -> Result<(i64, Vec<&'static str>)> {
    if !path.exists() {
        return Err(Error::Missing { path: path.into() });
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags)?;
    conn.busy_timeout(super::open::BUSY_TIMEOUT)?;
    let found = version(&conn, path)?;
    let seen = usize::try_from(found).unwrap_or(0);
    Ok((found, MIGRATIONS[seen..].iter().map(|(name, _)| *name).collect()))
}

/// The version of a file, refusing foreign and newer ones. An empty file has version 0.
pub(crate) fn version(conn: &Connection, path: &Path) -> Result<i64> {
    let read = |pragma: &str| conn.pragma_query_value(None, pragma, |r| r.get::<_, i64>(0));
    let broken = |e: rusqlite::Error| match e.sqlite_error_code() {
        Some(rusqlite::ErrorCode::NotADatabase) => Error::NotOurs { path: path.into() },
        Some(rusqlite::ErrorCode::DatabaseCorrupt) => Error::Corrupt {
            path: path.into(),
            detail: e.to_string(),
        },
        Some(rusqlite::ErrorCode::ReadOnly | rusqlite::ErrorCode::CannotOpen) => Error::Refused(format!(
            "{}: this user may not write the file or its folder; to write needs permission on both, to read needs \
             the files -wal and -shm that nightclerk leaves beside it",
            path.display()
        )),
        _ => Error::Sqlite(e),
    };
    let application = read("application_id").map_err(broken)?;
    let found = read("user_version").map_err(broken)?;
    let tables: i64 = conn
        .query_row("SELECT count(*) FROM sqlite_schema", [], |r| r.get(0))
        .map_err(broken)?;
    if application != APPLICATION_ID && (tables > 0 || application != 0) {
        return Err(Error::NotOurs { path: path.into() });
    }
    if found > known() {
        return Err(Error::Newer {
            path: path.into(),
            found,
            known: known(),
        });
    }
    Ok(found)
}

/// Stamps a new file. auto_vacuum can be chosen only before the first table.
pub(crate) fn prepare_file(conn: &Connection, path: &Path) -> Result<()> {
    if version(conn, path)? == 0 {
        conn.pragma_update(None, "auto_vacuum", "incremental")?;
        conn.pragma_update(None, "application_id", APPLICATION_ID)?;
    }
    Ok(())
}

/// Applies what is missing. Two processes may do this at once: the version is read again under the write lock.
pub(crate) fn migrate(conn: &Connection, path: &Path) -> Result<()> {
    let found = version(conn, path)?;
    if found == known() {
        return Ok(());
    }
    if found > 0 {
        back_up(conn, path, found)?;
    }
    for (number, (name, sql)) in (1..).zip(MIGRATIONS) {
        let transaction = Transaction::new_unchecked(conn, TransactionBehavior::Immediate)?;
        if version(&transaction, path)? >= number {
            continue;
        }
        transaction
            .execute_batch(sql)
            .and_then(|()| transaction.pragma_update(None, "user_version", number))
            .map_err(|e| {
                Error::Refused(format!(
                    "{}: migration {name} failed and was undone: {e}",
                    path.display()
                ))
            })?;
        transaction.commit()?;
    }
    Ok(())
}

/// `VACUUM INTO` a file beside the database: consistent, compact, and a writer elsewhere may go on.
fn back_up(conn: &Connection, path: &Path, found: i64) -> Result<()> {
    let target = beside(path, &format!(".before-v{}.bak", known()));
    if target.exists() {
        return Ok(()); // made by a migration that was killed later: it is the older, therefore the right one
    }
    let part = beside(&target, ".part");
    let _ = std::fs::remove_file(&part); // of a backup that was killed
    let name = part.to_string_lossy().into_owned();
    conn.execute("VACUUM INTO ?1", [&name]).map_err(|e| {
        Error::Refused(format!(
            "{}: no backup could be written to {} before migrating from schema {found}: {e}; free some space or \
             fix the folder's permissions",
            path.display(),
            target.display()
        ))
    })?;
    std::fs::rename(&part, &target).map_err(|source| Error::Io { path: target, source })
}

#[cfg(test)]
mod tests {
    use super::super::Shop;
    use super::*;

    #[test]
    fn a_file_of_every_older_version_is_migrated_after_a_backup() {
        for old in 1..known() {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("shop.db");
            let conn = Connection::open(&path).unwrap();
            conn.pragma_update(None, "application_id", APPLICATION_ID)
                .unwrap();
            for (_, sql) in &MIGRATIONS[..old as usize] {
                conn.execute_batch(sql).unwrap();
            }
            conn.pragma_update(None, "user_version", old).unwrap();
            conn.execute("INSERT INTO users (user_id) VALUES ('u')", [])
                .unwrap();
            drop(conn);
            let shop = Shop::open(&path).unwrap();
            assert_eq!(version(shop.conn(), &path).unwrap(), known());
            let users: i64 = shop
                .conn()
                .query_row("SELECT count(*) FROM users", [], |r| r.get(0))
                .unwrap();
            assert_eq!(users, 1);
            let backup = Connection::open(beside(&path, &format!(".before-v{}.bak", known()))).unwrap();
            let version: i64 = backup
                .pragma_query_value(None, "user_version", |r| r.get(0))
                .unwrap();
            assert_eq!(version, old);
        }
    }

    #[test]
    fn newer_and_foreign_files_are_refused_untouched() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("shop.db");
        drop(Shop::create(&path).unwrap());
        let conn = Connection::open(&path).unwrap();
        conn.pragma_update(None, "user_version", known() + 1).unwrap();
        drop(conn);
        assert!(matches!(Shop::open(&path), Err(Error::Newer { .. })));
        let foreign = dir.path().join("app.db");
        let conn = Connection::open(&foreign).unwrap();
        conn.execute_batch("CREATE TABLE t (x)").unwrap();
        drop(conn);
        let before = std::fs::read(&foreign).unwrap();
        assert!(matches!(Shop::create(&foreign), Err(Error::NotOurs { .. })));
        assert_eq!(before, std::fs::read(&foreign).unwrap());
        let text = dir.path().join("notes.txt");
        std::fs::write(
            &text,
            "not a database at all, but long enough to look at".repeat(20),
        )
        .unwrap();
        assert!(matches!(Shop::open(&text), Err(Error::NotOurs { .. })));
    }

    #[test]
    fn a_migration_that_fails_leaves_the_version_before_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("shop.db");
        let conn = Connection::open(&path).unwrap();
        conn.pragma_update(None, "application_id", APPLICATION_ID)
            .unwrap();
        conn.execute_batch(MIGRATIONS[0].1).unwrap();
        conn.pragma_update(None, "user_version", 1).unwrap();
        conn.execute_batch("CREATE TABLE clerk_runs (x)").unwrap(); // in the way of migration 2
        drop(conn);
        let error = Shop::open(&path).unwrap_err().to_string();
        assert!(error.contains("0002_runs"), "{error}");
        let conn = Connection::open(&path).unwrap();
        assert_eq!(version(&conn, &path).unwrap(), 1);
        let half: i64 = conn
            .query_row(
                "SELECT count(*) FROM sqlite_schema WHERE name = 'product_keys'",
                [],
                |r| r.get(0),
            )
            .unwrap();
        assert_eq!(half, 0);
    }
}
