//! Parquet: row after row, one row group at a time, without Arrow.
//!
//! What a column holds becomes what the tables hold: timestamps in UTC are instants; timestamps without a zone
//! (what data frames write) are local times of the shop, as text without offset would be; dates are days;
//! decimals keep their digits; 32-bit floats read as the shortest decimal that means them, so that 2.55 stays
//! 2.55. Nested values become JSON text. Parquet is read by position: a stream or a gzip is copied to a
//! temporary file first. The library panics on some damaged files; such a panic is caught and is an error
//! that names the file.

use super::ImportError;
use super::row::{CELL_BYTES, Cell, MOST_COLUMNS, Reason, Records, Row};
use super::scratch;
use super::source::{Source, read_error};
use parquet::basic::{LogicalType, TimeUnit};
use parquet::errors::Result as ParquetResult;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field, reader::RowIter};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A Parquet file being read.
pub struct Parquet {
    name: String,
    rows: RowIter<'static>,
    columns: Vec<String>,
    stamps: Vec<Option<Stamp>>,
    read: u64,
    of: u64,
    done: Arc<AtomicU64>,
    total: u64,
}

/// How a column of timestamps is to be read.
#[derive(Clone, Copy, Debug)]
struct Stamp {
    per_second: i64,
    utc: bool,
}

impl std::fmt::Debug for Parquet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parquet")
            .field("name", &self.name)
            .field("columns", &self.columns)
            .finish_non_exhaustive()
    }
}

/// Checks that the footer and every part it names lie inside the file: the library would ask for memory of any
/// size that a damaged footer claims.
fn footer_fits(file: &mut File, length: u64) -> std::io::Result<bool> {
    let mut tail = [0; 8];
    if length < 12 {
        return Ok(false);
    }
    file.seek(SeekFrom::Start(length - 8))?;
    file.read_exact(&mut tail)?;
    let footer = u64::from(u32::from_le_bytes([tail[0], tail[1], tail[2], tail[3]]));
    Ok(&tail[4..] == b"PAR1" && footer + 12 <= length)
}

fn parts_fit(reader: &SerializedFileReader<File>, length: u64) -> bool {
    let inside = |start: i64, size: i64| {
        u64::try_from(start)
            .ok()
            .zip(u64::try_from(size).ok())
            .and_then(|(start, size)| start.checked_add(size))
            .is_some_and(|end| end <= length)
    };
    reader
        .metadata()
        .row_groups()
        .iter()
        .flat_map(|group| group.columns())
        .all(|column| {
            let start = column
                .dictionary_page_offset()
                .unwrap_or(column.data_page_offset());
            inside(start, column.compressed_size()) && inside(column.data_page_offset(), 0)
        })
}

impl Parquet {
    /// Opens what `source` holds.
    pub fn open(source: Source) -> Result<Parquet, ImportError> {
        let Source {
            name,
            plain,
            mut bytes,
            done,
            ..
        } = source;
        let file = match plain {
            Some(path) => File::open(&path).map_err(|error| read_error(&name, error))?,
            None => {
                let mut file = scratch::file()?;
                std::io::copy(&mut bytes, &mut file).map_err(|error| read_error(&name, error))?;
                file
            }
        };
        let length = file.metadata().map_err(|error| read_error(&name, error))?.len();
        let mut file = file;
        let damaged = |what: String| {
            ImportError::Input(format!("{name} is not a Parquet file that can be read: {what}"))
        };
        if !footer_fits(&mut file, length).map_err(|error| read_error(&name, error))? {
            return Err(damaged("its footer is missing; was it cut short?".into()));
        }
        let reader = guard(|| SerializedFileReader::new(file)).map_err(&damaged)?;
        if !parts_fit(&reader, length) {
            return Err(damaged(
                "its footer names parts past its end; was it cut short?".into(),
            ));
        }
        let schema = reader.metadata().file_metadata().schema_descr();
        let fields = schema.root_schema().get_fields();
        if fields.len() > MOST_COLUMNS {
            return Err(damaged(format!(
                "it has {} columns, more than {MOST_COLUMNS}",
                fields.len()
            )));
        }
        let columns: Vec<String> = fields.iter().map(|field| field.name().to_string()).collect();
        super::no_name_twice(&name, &columns)?;
        let stamps = fields
            .iter()
            .map(|field| match field.get_basic_info().logical_type_ref() {
                Some(LogicalType::Timestamp(stamp)) => Some(Stamp {
                    per_second: match stamp.unit {
                        TimeUnit::MILLIS => 1_000,
                        TimeUnit::MICROS => 1_000_000,
                        TimeUnit::NANOS => 1_000_000_000,
                    },
                    utc: stamp.is_adjusted_to_u_t_c,
                }),
                _ => None,
            })
            .collect();
        let of = u64::try_from(reader.metadata().file_metadata().num_rows()).unwrap_or(0);
        let rows = RowIter::from_file_into(Box::new(reader));
        Ok(Parquet {
            name,
            rows,
            columns,
            stamps,
            read: 0,
            of,
            done,
            total: length,
        })
    }

    fn cell(&self, at: usize, field: &Field, row: &mut Row) -> Cell {
        let from = row.text.len();
        match field {
            Field::Null => Cell::Null,
            Field::Bool(value) => Cell::Bool(*value),
            Field::Byte(value) => Cell::Integer(i64::from(*value)),
            Field::Short(value) => Cell::Integer(i64::from(*value)),
            Field::Int(value) => Cell::Integer(i64::from(*value)),
            Field::UByte(value) => Cell::Integer(i64::from(*value)),
            Field::UShort(value) => Cell::Integer(i64::from(*value)),
            Field::UInt(value) => Cell::Integer(i64::from(*value)),
            Field::ULong(value) => match i64::try_from(*value) {
                Ok(value) => Cell::Integer(value),
                Err(_) => Cell::Real(*value as f64),
            },
            Field::Long(value) => match self.stamps[at] {
                Some(stamp) => stamp_cell(*value, stamp, row),
                None => Cell::Integer(*value),
            },
            Field::Float16(value) => Cell::Real(f64::from(value.to_f32())),
            Field::Float(value) => Cell::Real(value.to_string().parse().unwrap_or(f64::from(*value))),
            Field::Double(value) => Cell::Real(*value),
            Field::TimestampMillis(value) => stamp_cell(
                *value,
                Stamp {
                    per_second: 1_000,
                    utc: self.stamps[at].is_none_or(|s| s.utc),
                },
                row,
            ),
            Field::TimestampMicros(value) => stamp_cell(
                *value,
                Stamp {
                    per_second: 1_000_000,
                    utc: self.stamps[at].is_none_or(|s| s.utc),
                },
                row,
            ),
            Field::Date(days) => day_cell(i64::from(*days), row),
            Field::Str(text) => {
                row.text.extend_from_slice(text.as_bytes());
                Cell::Text(from, row.text.len())
            }
            Field::Bytes(bytes) => {
                row.text.extend_from_slice(bytes.data());
                Cell::Text(from, row.text.len())
            }
            Field::Decimal(_) | Field::TimeMillis(_) | Field::TimeMicros(_) => {
                row.text.extend_from_slice(field.to_string().as_bytes());
                Cell::Text(from, row.text.len())
            }
            Field::Group(_) | Field::ListInternal(_) | Field::MapInternal(_) => {
                row.text.extend_from_slice(json(field).to_string().as_bytes());
                Cell::Json(from, row.text.len())
            }
        }
    }
}

/// Runs a step of the Parquet library; a panic in it becomes an error.
fn guard<T>(step: impl FnOnce() -> ParquetResult<T>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(step)) {
        Ok(result) => result.map_err(|error| error.to_string()),
        Err(_) => Err("it is damaged, or uses a part of the format that is not supported".to_string()),
    }
}

fn stamp_cell(value: i64, stamp: Stamp, row: &mut Row) -> Cell {
    let seconds = value.div_euclid(stamp.per_second);
    if stamp.utc {
        return Cell::Instant(seconds);
    }
    let Some(local) = chrono::DateTime::from_timestamp(seconds, 0) else {
        return Cell::Instant(seconds);
    };
    let from = row.text.len();
    row.text
        .extend_from_slice(local.format("%Y-%m-%dT%H:%M:%S").to_string().as_bytes());
    Cell::Text(from, row.text.len())
}

fn day_cell(days: i64, row: &mut Row) -> Cell {
    let Some(day) = chrono::DateTime::from_timestamp(days * 86_400, 0) else {
        return Cell::Integer(days);
    };
    let from = row.text.len();
    row.text
        .extend_from_slice(day.format("%Y-%m-%d").to_string().as_bytes());
    Cell::Text(from, row.text.len())
}

/// A nested value as JSON; what JSON cannot say (NaN) becomes null.
fn json(field: &Field) -> serde_json::Value {
    use serde_json::Value;
    match field {
        Field::Group(row) => Value::Object(
            row.get_column_iter()
                .map(|(name, field)| (name.clone(), json(field)))
                .collect(),
        ),
        Field::ListInternal(list) => Value::Array(list.elements().iter().map(json).collect()),
        Field::MapInternal(map) => Value::Object(
            map.entries()
                .iter()
                .map(|(key, value)| {
                    let key = match key {
                        Field::Str(text) => text.clone(),
                        other => other.to_string(),
                    };
                    (key, json(value))
                })
                .collect(),
        ),
        Field::Null => Value::Null,
        Field::Bool(value) => Value::from(*value),
        Field::Byte(value) => Value::from(*value),
        Field::Short(value) => Value::from(*value),
        Field::Int(value) => Value::from(*value),
        Field::Long(value) => Value::from(*value),
        Field::UByte(value) => Value::from(*value),
        Field::UShort(value) => Value::from(*value),
        Field::UInt(value) => Value::from(*value),
        Field::ULong(value) => Value::from(*value),
        Field::Float(value) => Value::from(value.to_string().parse::<f64>().unwrap_or(f64::NAN)),
        Field::Double(value) => Value::from(*value),
        Field::Str(text) => Value::from(text.as_str()),
        Field::Bytes(bytes) => Value::from(String::from_utf8_lossy(bytes.data())),
        other => Value::from(other.to_string()),
    }
}

impl Records for Parquet {
    fn columns(&self) -> &[String] {
        &self.columns
    }

    fn next(&mut self, row: &mut Row) -> Result<bool, ImportError> {
        row.clear();
        let next = match guard(|| self.rows.next().transpose()) {
            Ok(Some(next)) => next,
            Ok(None) => return Ok(false),
            Err(what) => {
                let (name, read) = (&self.name, self.read);
                return Err(ImportError::Input(format!(
                    "{name} cannot be read past row {read}: {what}"
                )));
            }
        };
        self.read += 1;
        row.line = self.read;
        if self.read.is_multiple_of(1024) {
            let part = self.read as f64 / self.of.max(1) as f64;
            self.done
                .store((self.total as f64 * part) as u64, Ordering::Relaxed);
        }
        for (at, (_, field)) in next.get_column_iter().enumerate().take(self.columns.len()) {
            let before = row.text.len();
            let cell = self.cell(at, field, row);
            row.cells.push(cell);
            if row.text.len() - before > CELL_BYTES {
                row.refuse(Reason::row("a cell of more than 16 MB").found(self.columns[at].clone()));
            }
        }
        Ok(true)
    }
}
