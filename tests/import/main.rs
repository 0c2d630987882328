//! What an import promises, on real files and a real database: every row accounted for, nothing taken twice,
//! nothing half, and no file that brings the program down.

#![cfg(feature = "daemon")]

mod binary;
mod columnar;
mod noise;

mod refused;
mod select;
mod taken;

use flate2::Compression;
use flate2::write::GzEncoder;
use nightclerk::store::Shop;
use nightclerk::store::import::{ImportError, ImportOptions, ImportReport, Input, import};
use rusqlite::Connection;
use std::io::Write;

/// A shop in a folder of its own.
struct Bench {
    folder: tempfile::TempDir,
    shop: Shop,
}

fn bench() -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let shop = Shop::create(&folder.path().join("shop.db")).unwrap();
    Bench { folder, shop }
}

impl Bench {
    fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> Input {
        let path = self.folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        Input::File(path)
    }

    fn take(&self, table: &str, name: &str, bytes: impl AsRef<[u8]>) -> ImportReport {
        self.with(table, name, bytes, &ImportOptions::default()).unwrap()
    }

    fn refuse(&self, table: &str, name: &str, bytes: impl AsRef<[u8]>) -> String {
        self.with(table, name, bytes, &ImportOptions::default())
            .unwrap_err()
            .to_string()
    }

    fn with(
        &self,
        table: &str,
        name: &str,
        bytes: impl AsRef<[u8]>,
        options: &ImportOptions,
    ) -> Result<ImportReport, ImportError> {
        let input = self.file(name, bytes);
        import(&self.shop, table, &[input], options, &mut |_| {})
    }

    fn sql(&self) -> Connection {
        Connection::open(self.shop.path()).unwrap()
    }

    /// All rows of a query, cells joined by '|'.
    fn rows(&self, sql: &str) -> Vec<String> {
        let connection = self.sql();
        let mut select = connection.prepare(sql).unwrap();
        let width = select.column_count();
        let rows = select
            .query_map([], |row| {
                let cells: Vec<String> = (0..width)
                    .map(|at| match row.get_ref(at).unwrap() {
                        rusqlite::types::ValueRef::Null => "NULL".to_string(),
                        rusqlite::types::ValueRef::Integer(value) => value.to_string(),
                        rusqlite::types::ValueRef::Real(value) => format!("{value:?}"),
                        rusqlite::types::ValueRef::Text(text) => String::from_utf8(text.to_vec()).unwrap(),
                        rusqlite::types::ValueRef::Blob(_) => "BLOB".to_string(),
                    })
                    .collect();
                Ok(cells.join("|"))
            })
            .unwrap();
        rows.map(Result::unwrap).collect()
    }

    fn one(&self, sql: &str) -> String {
        self.rows(sql).join("\n")
    }
}

/// (inserted, changed, unchanged, rejected)
fn counts(report: &ImportReport) -> (u64, u64, u64, u64) {
    assert_eq!(
        report.read,
        report.inserted + report.changed + report.unchanged + report.rejected,
        "{report:?}"
    );
    (report.inserted, report.changed, report.unchanged, report.rejected)
}

fn zip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

const STRICT: ImportOptions = ImportOptions {
    select: None,
    strict: true,
    encoding: None,
    format: None,
};

fn select(sql: &str) -> ImportOptions {
    ImportOptions {
        select: Some(sql.to_string()),
        ..ImportOptions::default()
    }
}
