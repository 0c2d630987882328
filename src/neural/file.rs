//! A network's parameters as one blob: a header of ours, then a safetensors file.
//!
//! Sixteen bytes say what it is and in which version, sixteen are the checksum of the rest (XXH3, 128 bits), and the rest is
//! [safetensors](https://github.com/huggingface/safetensors): eight bytes of length, a JSON object of names, types, shapes and
//! offsets, the values in little-endian order. Skipping 32 bytes gives a file that Python reads. What is read is not trusted: any
//! bytes give a network or an [error](FileError).

use super::layout::Layout;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const MAGIC: &[u8; 12] = b"nightclerknn";
/// The layout of the blob; raise it when it changes.
const VERSION: u32 = 1;
const HEADER: usize = 32;

/// Why bytes are no network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// Too short, or of something else.
    #[error("these bytes are no network of ours")]
    Foreign,
    /// Of another version.
    #[error("a network of version {0}; this program reads version {VERSION}")]
    Version(u32),
    /// The checksum is another.
    #[error("the network is damaged: its checksum does not fit")]
    Damaged,
    /// The table of tensors makes no sense.
    #[error("the network's table of tensors: {0}")]
    Table(String),
    /// Not the tensors that the network at hand wants.
    #[error("the network does not fit: {0}")]
    Misfit(String),
}

/// One tensor, as read.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    /// Its dimensions, row-major.
    pub shape: Vec<usize>,
    /// Its values.
    pub values: Vec<f32>,
}

/// A blob's content.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Saved {
    /// What the writer noted: options, vocabulary, date.
    pub notes: BTreeMap<String, String>,
    /// Tensors by name.
    pub tensors: BTreeMap<String, Stored>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    dtype: String,
    shape: Vec<usize>,
    data_offsets: [usize; 2],
}

/// The blob of a network with these parameters.
pub fn write(layout: &Layout, params: &[f32], notes: &BTreeMap<String, String>) -> Vec<u8> {
    assert_eq!(params.len(), layout.len(), "the parameters of another network");
    let mut table = serde_json::Map::new();
    if !notes.is_empty() {
        table.insert("__metadata__".into(), serde_json::json!(notes));
    }
    for tensor in layout.tensors() {
        let from = tensor.start * 4;
        let entry = Entry {
            dtype: "F32".into(),
            shape: tensor.shape.clone(),
            data_offsets: [from, from + tensor.len() * 4],
        };
        table.insert(tensor.name.clone(), serde_json::json!(entry));
    }
    let mut table = serde_json::Value::Object(table).to_string().into_bytes();
    // The format wants the values aligned to eight bytes.
    table.resize(table.len().next_multiple_of(8), b' ');
    let mut blob = Vec::with_capacity(HEADER + 8 + table.len() + params.len() * 4);
    blob.extend_from_slice(MAGIC);
    blob.extend_from_slice(&VERSION.to_le_bytes());
    blob.extend_from_slice(&[0; 16]);
    blob.extend_from_slice(&(table.len() as u64).to_le_bytes());
    blob.extend_from_slice(&table);
    for value in params {
        blob.extend_from_slice(&value.to_le_bytes());
    }
    let sum = xxhash_rust::xxh3::xxh3_128(&blob[HEADER..]);
    blob[16..HEADER].copy_from_slice(&sum.to_le_bytes());
    blob
}

/// Reads a blob.
///
/// # Errors
/// [`FileError`], for whatever bytes.
pub fn read(blob: &[u8]) -> Result<Saved, FileError> {
    let (header, rest) = blob.split_at_checked(HEADER).ok_or(FileError::Foreign)?;
    let (magic, header) = header.split_at(MAGIC.len());
    if magic != MAGIC {
        return Err(FileError::Foreign);
    }
    let (version, sum) = header.split_at(4);
    let version = u32::from_le_bytes(version.try_into().map_err(|_| FileError::Foreign)?);
    if version != VERSION {
        return Err(FileError::Version(version));
    }
    if xxhash_rust::xxh3::xxh3_128(rest).to_le_bytes() != sum {
        return Err(FileError::Damaged);
    }
    let wrong = |what: &str| FileError::Table(what.to_owned());
    let (length, rest) = rest.split_first_chunk::<8>().ok_or(wrong("it is missing"))?;
    let length = usize::try_from(u64::from_le_bytes(*length)).map_err(|_| wrong("it is too long"))?;
    let (table, data) = rest.split_at_checked(length).ok_or(wrong("it is cut off"))?;
    let table: BTreeMap<String, serde_json::Value> =
        serde_json::from_slice(table).map_err(|error| FileError::Table(error.to_string()))?;
    let mut saved = Saved::default();
    let mut places = Vec::new();
    for (name, value) in table {
        if name == "__metadata__" {
            saved.notes =
                serde_json::from_value(value).map_err(|error| FileError::Table(error.to_string()))?;
            continue;
        }
        let entry: Entry =
            serde_json::from_value(value).map_err(|error| FileError::Table(error.to_string()))?;
        if entry.dtype != "F32" {
            return Err(FileError::Table(format!("{name} is of type {}", entry.dtype)));
        }
        let bytes = entry
            .shape
            .iter()
            .try_fold(4_usize, |bytes, n| bytes.checked_mul(*n))
            .ok_or(wrong("a shape without end"))?;
        let [from, to] = entry.data_offsets;
        let values = data
            .get(from..to)
            .filter(|values| values.len() == bytes)
            .ok_or_else(|| FileError::Table(format!("{name} lies elsewhere than its shape says")))?;
        places.push((from, to));
        let values = values
            .as_chunks::<4>()
            .0
            .iter()
            .map(|b| f32::from_le_bytes(*b))
            .collect();
        saved.tensors.insert(
            name,
            Stored {
                shape: entry.shape,
                values,
            },
        );
    }
    // One after the other without holes: nothing is read twice and nothing hides.
    places.sort_unstable();
    let mut end = 0;
    for (from, to) in places {
        if from != end {
            return Err(wrong("tensors overlap or leave a hole"));
        }
        end = to;
    }
    if end != data.len() {
        return Err(wrong("there is more than the tensors"));
    }
    Ok(saved)
}

impl Saved {
    /// The parameters in this layout's order. Every tensor must be there in its shape, no other, and every value a number.
    ///
    /// # Errors
    /// [`FileError::Misfit`].
    pub fn params(&self, layout: &Layout) -> Result<Vec<f32>, FileError> {
        // What a layout asks for may be told by the same bytes: nothing is reserved before it is known to be there.
        let mut all = Vec::with_capacity(self.tensors.len());
        for tensor in layout.tensors() {
            let name = &tensor.name;
            let stored = self
                .tensors
                .get(name)
                .ok_or_else(|| FileError::Misfit(format!("{name} is missing")))?;
            if stored.shape != tensor.shape {
                let misfit = format!("{name} is {:?}, not {:?}", stored.shape, tensor.shape);
                return Err(FileError::Misfit(misfit));
            }
            if !stored.values.iter().all(|x| x.is_finite()) {
                return Err(FileError::Misfit(format!("{name} holds what is no number")));
            }
            all.push(stored.values.as_slice());
        }
        if self.tensors.len() != layout.tensors().len() {
            return Err(FileError::Misfit(
                "there are tensors that nobody asked for".into(),
            ));
        }
        Ok(all.concat())
    }
}

#[cfg(test)]
mod tests {
    use super::super::random::Init;
    use super::*;

    fn layout() -> Layout {
        let mut layout = Layout::new();
        layout.add("z.first", &[3, 2], Init::Uniform(1.0));
        layout.add_table("a.table", 4, 1, Init::Normal(1.0));
        layout.add("nothing", &[0], Init::Zero);
        layout
    }

    /// The blob with the checksum made right again.
    fn seal(mut blob: Vec<u8>) -> Vec<u8> {
        if blob.len() >= HEADER {
            let sum = xxhash_rust::xxh3::xxh3_128(&blob[HEADER..]);
            blob[16..HEADER].copy_from_slice(&sum.to_le_bytes());
        }
        blob
    }

    #[test]
    fn comes_back_to_the_bit() {
        let layout = layout();
        let mut params = layout.init(1);
        params[1] = -0.0;
        let notes = BTreeMap::from([("vocabulary".to_owned(), "ä \"b\"".to_owned())]);
        let blob = write(&layout, &params, &notes);
        assert_eq!((blob.len() - params.len() * 4) % 8, 0);
        let saved = read(&blob).unwrap();
        assert_eq!(saved.notes, notes);
        let bits = |v: &[f32]| v.iter().map(|x| x.to_bits()).collect::<Vec<u32>>();
        assert_eq!(bits(&saved.params(&layout).unwrap()), bits(&params));
        assert_eq!(saved.tensors["a.table"].shape, [4, 1]);
    }

    #[test]
    fn a_network_of_another_shape_does_not_fit() {
        let blob = write(&layout(), &layout().init(1), &BTreeMap::new());
        let saved = read(&blob).unwrap();
        let mut more = layout();
        more.add("more", &[1], Init::Zero);
        assert!(
            saved
                .params(&more)
                .unwrap_err()
                .to_string()
                .contains("more is missing")
        );
        let mut fewer = Layout::new();
        fewer.add("z.first", &[3, 2], Init::Zero);
        assert!(
            saved
                .params(&fewer)
                .unwrap_err()
                .to_string()
                .contains("nobody asked")
        );
        let mut turned = Layout::new();
        turned.add("z.first", &[2, 3], Init::Zero);
        assert!(
            saved
                .params(&turned)
                .unwrap_err()
                .to_string()
                .contains("[3, 2], not [2, 3]")
        );
        let mut broken = layout().init(1);
        broken[0] = f32::NAN;
        let saved = read(&write(&layout(), &broken, &BTreeMap::new())).unwrap();
        assert!(
            saved
                .params(&layout())
                .unwrap_err()
                .to_string()
                .contains("no number")
        );
    }

    #[test]
    fn any_bytes_give_an_error() {
        let blob = write(&layout(), &layout().init(1), &BTreeMap::new());
        assert_eq!(read(&[]), Err(FileError::Foreign));
        assert_eq!(read(&[0; 100]), Err(FileError::Foreign));
        for end in 0..blob.len() {
            assert!(read(&blob[..end]).is_err());
            assert!(read(&seal(blob[..end].to_vec())).is_err(), "{end} bytes");
        }
        for at in 0..blob.len() {
            for bit in 0..8 {
                let mut other = blob.clone();
                other[at] ^= 1 << bit;
                assert!(read(&other).is_err());
                // With a right checksum: an error, or other names or numbers, but no panic.
                if let Ok(saved) = read(&seal(other)) {
                    let _ = saved.params(&layout());
                }
            }
        }
        let mut version = blob.clone();
        version[12] = 9;
        assert_eq!(read(&version), Err(FileError::Version(9)));
        let table = |json: &str, data: usize| {
            let mut blob = blob[..HEADER].to_vec();
            blob.extend_from_slice(&(json.len() as u64).to_le_bytes());
            blob.extend_from_slice(json.as_bytes());
            blob.resize(blob.len() + data, 0);
            read(&seal(blob))
        };
        let entry = |shape: &str, from: usize, to: usize| {
            format!(r#"{{"x":{{"dtype":"F32","shape":{shape},"data_offsets":[{from},{to}]}}}}"#)
        };
        assert!(table(&entry("[2]", 0, 8), 8).is_ok());
        assert!(table("{}", 0).is_ok());
        for (json, data) in [
            ("[]".to_owned(), 0),
            ("{".to_owned(), 0),
            (r#"{"x":1}"#.to_owned(), 0),
            (r#"{"__metadata__":{"a":1}}"#.to_owned(), 0),
            (entry("[2]", 0, 8), 9),
            (entry("[2]", 0, 8), 4),
            (entry("[2]", 4, 12), 12),
            (entry("[2]", 8, 0), 8),
            (entry("[4294967296,4294967296,4294967296]", 0, 8), 8),
            (entry("[-1]", 0, 8), 8),
            (entry("[2]", 0, usize::MAX), 8),
            (entry("[2]", 0, 8).replace("F32", "F16"), 8),
            (entry("[2]", 0, 8).replace("\"shape\"", "\"more\":1,\"shape\""), 8),
            (
                format!(
                    "{{{0},{1}}}",
                    &entry("[2]", 0, 8)[1..47],
                    r#""y":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}"#
                ),
                8,
            ),
        ] {
            assert!(matches!(table(&json, data), Err(FileError::Table(_))), "{json}");
        }
        let mut endless = blob[..HEADER].to_vec();
        endless.extend_from_slice(&u64::MAX.to_le_bytes());
        assert!(matches!(read(&seal(endless)), Err(FileError::Table(_))));
    }
}
