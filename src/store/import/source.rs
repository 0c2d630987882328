//! Where the bytes come from: a file or stdin, gzip or not, in any encoding, as one stream of UTF-8.
//!
//! gzip is told by its magic number, never by the name, and may have several members one behind the other. A
//! byte order mark says UTF-8 or UTF-16 and is dropped; `--encoding` names any other encoding. UTF-8 is passed
//! on unchecked (the readers check row by row); a character that another encoding does not have comes out as
//! the byte 0xFF, which no UTF-8 text contains, so that the readers refuse exactly the row it stands in.

use super::ImportError;
use encoding_rs::{Decoder, DecoderResult, Encoding, UTF_8};
use flate2::read::MultiGzDecoder;
use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What the user named.
#[derive(Clone, Debug)]
pub enum Input {
    /// A file of this path.
    File(PathBuf),
    /// Standard input, '-' on the command line.
    Stdin,
}

impl Input {
    /// The name rejected rows are stored under: the path as given when it is relative, else the file's name
    /// alone (no absolute path is ever stored), or `stdin`.
    pub fn name(&self) -> String {
        match self {
            Input::Stdin => "stdin".to_string(),
            Input::File(path) if path.is_absolute() => match path.file_name() {
                Some(name) => name.to_string_lossy().into_owned(),
                None => path.to_string_lossy().into_owned(),
            },
            Input::File(path) => path.to_string_lossy().into_owned(),
        }
    }
}

/// An input that was opened: its decoded bytes and how far the reading has come.
pub struct Source {
    /// The name in messages and in rejected rows.
    pub name: String,
    /// The path, when the bytes are a plain file that can be opened again (Parquet reads it by position).
    pub plain: Option<PathBuf>,
    /// The first decoded bytes, to tell the format by.
    pub head: Vec<u8>,
    /// All decoded bytes, those of `head` included.
    pub bytes: Box<dyn Read>,
    /// Bytes read so far, as they lie in the file.
    pub done: Arc<AtomicU64>,
    /// Bytes in the file; unknown for stdin.
    pub total: Option<u64>,
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Source")
            .field("name", &self.name)
            .field("total", &self.total)
            .finish_non_exhaustive()
    }
}

/// How many decoded bytes are looked at to tell a format.
const HEAD: usize = 64 << 10;

impl Source {
    /// Opens `input`; `encoding` is a label of the WHATWG encoding standard, or nothing for UTF-8 and UTF-16
    /// with a byte order mark.
    pub fn open(input: &Input, encoding: Option<&str>) -> Result<Source, ImportError> {
        match input {
            Input::Stdin => Source::from_reader(input.name(), Box::new(io::stdin()), None, None, encoding),
            Input::File(path) => {
                let (file, total) = open_file(path)?;
                Source::from_reader(input.name(), Box::new(file), total, Some(path), encoding)
            }
        }
    }

    /// Reads `reader` as the input of this name.
    pub fn from_reader(
        name: String,
        reader: Box<dyn Read>,
        total: Option<u64>,
        path: Option<&Path>,
        encoding: Option<&str>,
    ) -> Result<Source, ImportError> {
        let named = encoding.map(encoding_named).transpose()?;
        let done = Arc::new(AtomicU64::new(0));
        let mut bytes: Box<dyn Read> = Box::new(Counted {
            reader,
            done: Arc::clone(&done),
        });
        let failed = |error| read_error(&name, error);
        let magic = peek(&mut bytes, 2).map_err(failed)?;
        let zipped = magic == [0x1f, 0x8b];
        let mut bytes: Box<dyn Read> = Box::new(Cursor::new(magic).chain(bytes));
        if zipped {
            bytes = Box::new(MultiGzDecoder::new(bytes));
        }
        let start = peek(&mut bytes, 4).map_err(failed)?;
        let parquet = start == *b"PAR1";
        let marked = Encoding::for_bom(&start);
        let mark = marked.map_or(0, |(_, length)| length);
        let encoding = marked.map(|(encoding, _)| encoding).or(named).unwrap_or(UTF_8);
        bytes = Box::new(Cursor::new(start[mark..].to_vec()).chain(bytes));
        if !parquet && encoding != UTF_8 {
            bytes = Box::new(Decoded::new(bytes, encoding));
        }
        let head = peek(&mut bytes, HEAD).map_err(failed)?;
        Ok(Source {
            plain: path.filter(|_| parquet && !zipped).map(Path::to_path_buf),
            bytes: Box::new(Cursor::new(head.clone()).chain(bytes)),
            head,
            done,
            total,
            name,
        })
    }
}

fn open_file(path: &Path) -> Result<(File, Option<u64>), ImportError> {
    let wrong = |error: io::Error| ImportError::Input(format!("cannot read {}: {error}", path.display()));
    let file = File::open(path).map_err(wrong)?;
    let about = file.metadata().map_err(wrong)?;
    if about.is_dir() {
        return Err(ImportError::Input(format!(
            "{} is a folder; name its files",
            path.display()
        )));
    }
    Ok((file, about.is_file().then_some(about.len())))
}

fn encoding_named(label: &str) -> Result<&'static Encoding, ImportError> {
    Encoding::for_label(label.as_bytes()).ok_or_else(|| {
        ImportError::Input(format!(
            "unknown encoding {label:?}; known are utf-8, utf-16le, utf-16be, windows-1252, iso-8859-15, gb18030, big5, \
             shift_jis, euc-kr, koi8-r and the other labels of the WHATWG encoding standard"
        ))
    })
}

/// Turns a failed read into what to do about it.
pub fn read_error(name: &str, error: io::Error) -> ImportError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => ImportError::Input(format!(
            "{name} ends in the middle of its gzip stream: it was cut short; get it whole"
        )),
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => {
            ImportError::Input(format!("{name} is damaged ({error}); get it anew"))
        }
        _ => ImportError::Input(format!("cannot read {name}: {error}")),
    }
}

/// Reads up to `most` bytes, fewer only at the end.
fn peek(reader: &mut dyn Read, most: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(most);
    reader.take(most as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Counts what goes through.
struct Counted {
    reader: Box<dyn Read>,
    done: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = self.reader.read(buffer)?;
        self.done.fetch_add(got as u64, Ordering::Relaxed);
        Ok(got)
    }
}

/// Decodes to UTF-8, 64 KB at a time.
struct Decoded {
    reader: Box<dyn Read>,
    decoder: Decoder,
    input: Vec<u8>,
    taken: usize,
    ended: bool,
    output: Vec<u8>,
    given: usize,
}

impl Decoded {
    fn new(reader: Box<dyn Read>, encoding: &'static Encoding) -> Decoded {
        let decoder = encoding.new_decoder_without_bom_handling();
        Decoded {
            reader,
            decoder,
            input: Vec::new(),
            taken: 0,
            ended: false,
            output: Vec::new(),
            given: 0,
        }
    }

    /// Decodes the next piece into `output`; an empty one means the end.
    fn refill(&mut self) -> io::Result<()> {
        self.output.clear();
        self.given = 0;
        while self.output.is_empty() {
            if self.taken == self.input.len() {
                if self.ended {
                    return Ok(());
                }
                self.input.resize(64 << 10, 0);
                let got = self.reader.read(&mut self.input)?;
                self.input.truncate(got);
                self.taken = 0;
                self.ended = got == 0;
            }
            let mut piece = [0u8; 64 << 10];
            let left = &self.input[self.taken..];
            let (result, read, written) = self
                .decoder
                .decode_to_utf8_without_replacement(left, &mut piece, self.ended);
            self.taken += read;
            self.output.extend_from_slice(&piece[..written]);
            if let DecoderResult::Malformed(..) = result {
                self.output.push(0xff);
            }
            if self.ended && result == DecoderResult::InputEmpty && written == 0 {
                return Ok(());
            }
        }
        Ok(())
    }
}

impl Read for Decoded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.given == self.output.len() {
            self.refill()?;
        }
        let left = &self.output[self.given..];
        let count = left.len().min(buffer.len());
        buffer[..count].copy_from_slice(&left[..count]);
        self.given += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use std::io::Write;

    fn read(bytes: &[u8], encoding: Option<&str>) -> Result<Vec<u8>, ImportError> {
        let reader = Box::new(Cursor::new(bytes.to_vec()));
        let mut source = Source::from_reader("t".into(), reader, None, None, encoding)?;
        let mut all = Vec::new();
        source
            .bytes
            .read_to_end(&mut all)
            .map_err(|error| read_error("t", error))?;
        assert!(all.starts_with(&source.head));
        Ok(all)
    }

    fn zip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn gzip_of_several_members_is_one_stream() {
        let both = [zip(b"one,"), zip(b"two")].concat();
        assert_eq!(read(&both, None).unwrap(), b"one,two");
        assert_eq!(read(b"plain", None).unwrap(), b"plain");
        assert_eq!(read(b"", None).unwrap(), b"");
    }

    #[test]
    fn a_gzip_cut_short_is_an_error_that_says_so() {
        let long: Vec<u8> = (0..400_000u32)
            .flat_map(|i| i.wrapping_mul(2_654_435_761).to_le_bytes())
            .collect();
        let whole = zip(&long);
        for end in [11, whole.len() / 2, whole.len() - 4] {
            let error = read(&whole[..end], None).unwrap_err().to_string();
            assert!(error.contains("cut short"), "{end}: {error}");
        }
        let mut damaged = whole.clone();
        damaged[whole.len() / 2] ^= 0xff;
        assert!(read(&damaged, None).is_err());
    }

    #[test]
    fn marks_and_encodings() {
        assert_eq!(read(b"\xef\xbb\xbfa,b", None).unwrap(), b"a,b");
        let wide: Vec<u8> = [0xfeff]
            .into_iter()
            .chain("a,退货".encode_utf16())
            .flat_map(u16::to_le_bytes)
            .collect();
        assert_eq!(read(&wide, None).unwrap(), "a,退货".as_bytes());
        let wide: Vec<u8> = [0xfeff]
            .into_iter()
            .chain("é\n".encode_utf16())
            .flat_map(u16::to_be_bytes)
            .collect();
        assert_eq!(read(&zip(&wide), None).unwrap(), "é\n".as_bytes());
        assert_eq!(
            read(b"caf\xe9 \x80", Some("windows-1252")).unwrap(),
            "café €".as_bytes()
        );
        assert_eq!(
            read(b"\xcd\xcb\xbb\xf5", Some("gb18030")).unwrap(),
            "退货".as_bytes()
        );
        assert!(
            read(b"", Some("klingon"))
                .unwrap_err()
                .to_string()
                .contains("windows-1252")
        );
    }

    #[test]
    fn what_an_encoding_does_not_have_becomes_a_byte_no_text_has() {
        let text = read(b"a\n\x81\x20b\nc", Some("shift_jis")).unwrap();
        assert!(text.contains(&0xff), "{text:?}");
        assert!(text.starts_with(b"a\n") && text.ends_with(b"\nc"), "{text:?}");
        assert!(
            read(b"\xff\xfea\0\x00", None).unwrap().contains(&0xff),
            "half a character at the end"
        );
    }
}
