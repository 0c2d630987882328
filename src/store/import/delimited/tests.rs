//! CSV and TSV as the world writes them: line ends, quotes, ragged rows, giant cells, headers.

use super::*;
use std::io::Cursor;

fn open(text: &[u8]) -> Delimited {
    Delimited::open("t.csv", Box::new(Cursor::new(text.to_vec())), delimiter_of(text)).unwrap()
}

/// Line, cells (or the problem) of every row.
fn rows(text: &[u8]) -> Vec<(u64, String)> {
    let mut reader = open(text);
    let mut row = Row::default();
    let mut all = Vec::new();
    while reader.next(&mut row).unwrap() {
        let told = match &row.problem {
            Some(problem) => format!("! {}", problem.text()),
            None => row
                .cells
                .iter()
                .map(|cell| match *cell {
                    Cell::Text(from, to) => String::from_utf8_lossy(&row.text[from..to]).into_owned(),
                    _ => "NULL".to_string(),
                })
                .collect::<Vec<_>>()
                .join("|"),
        };
        all.push((row.line, told));
    }
    all
}

#[test]
fn line_ends_quotes_and_blank_lines() {
    let want = |lines: [u64; 3]| {
        let cells = ["1|x \"y\", z", "2|NULL", "3|a\nb"];
        lines.into_iter().zip(cells.map(String::from)).collect::<Vec<_>>()
    };
    let text = "a,b\n1,\"x \"\"y\"\", z\"\n\n2,\"\"\n3,\"a\nb\"\n";
    assert_eq!(rows(text.as_bytes()), want([2, 4, 5]));
    assert_eq!(rows(text.trim_end().as_bytes()), want([2, 4, 5]));
    let windows = text.replace('\n', "\r\n");
    let got = rows(windows.as_bytes());
    assert_eq!(got.iter().map(|row| row.0).collect::<Vec<_>>(), [2, 4, 5]);
    assert_eq!(got[2].1, "3|a\r\nb");
    let old = text.replace("a\nb", "ab").replace('\n', "\r");
    assert_eq!(
        rows(old.as_bytes()).iter().map(|row| row.0).collect::<Vec<_>>(),
        [2, 4, 5]
    );
}

#[test]
fn lines_are_counted_over_buffers() {
    let mut text = b"a,b\r\n".to_vec();
    for i in 0..100_000 {
        text.extend_from_slice(format!("{i},\"x\r\ny\"\r\n").as_bytes());
    }
    for (i, (line, cells)) in rows(&text).into_iter().enumerate() {
        assert_eq!((line, cells), (2 + 2 * i as u64, format!("{i}|x\r\ny")));
    }
}

#[test]
fn ragged_rows_are_refused_and_the_next_is_read() {
    let got = rows(b"a,b\n1\n1,2,3\n4,5\n");
    assert_eq!(
        got[0],
        (2, "! not as many cells as the header (1 instead of 2)".into())
    );
    assert_eq!(
        got[1],
        (3, "! not as many cells as the header (3 instead of 2)".into())
    );
    assert_eq!(got[2], (4, "4|5".into()));
    let open = rows(b"a,b\n1,\"x\n2,y\n3,z\n4");
    assert_eq!(open, [(2, "1|x\n2,y\n3,z\n4".into())]);
    let open = rows(b"a,b\n\"1,x\n2,y\n3,z\n");
    assert!(open[0].1.contains("is a quote not closed?"), "{open:?}");
}

#[test]
fn a_giant_cell_is_dropped_as_it_is_read() {
    struct Giant(u64);
    impl Read for Giant {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let count = (buffer.len() as u64).min(self.0) as usize;
            buffer[..count].fill(b'x');
            self.0 -= count as u64;
            Ok(count)
        }
    }
    let bytes = Cursor::new(b"a,b\n1,".to_vec())
        .chain(Giant(100 << 20))
        .chain(Cursor::new(b",9\n2,y\n".to_vec()));
    let mut reader = Delimited::open("t", Box::new(bytes), b',').unwrap();
    let mut row = Row::default();
    assert!(reader.next(&mut row).unwrap());
    assert_eq!(
        row.problem.as_ref().unwrap().text(),
        "a cell of more than 16 MB (cell 2)"
    );
    assert_eq!((row.line, row.raw.len()), (2, 4096));
    assert!(row.text.capacity() <= 40 << 20, "{}", row.text.capacity());
    assert!(reader.next(&mut row).unwrap());
    assert_eq!(
        (row.line, row.problem.is_none(), &row.text[..]),
        (3, true, &b"2y"[..])
    );
    assert!(!reader.next(&mut row).unwrap());
}

#[test]
fn headers_must_name_every_column_once() {
    let wrong = |text: &[u8]| {
        let text = text.to_vec();
        Delimited::open("t.csv", Box::new(Cursor::new(text)), b',')
            .unwrap_err()
            .to_string()
    };
    assert!(wrong(b"").contains("is empty"));
    assert!(wrong(b"\n\n").contains("is empty"));
    assert!(wrong(b"a,,c\n").contains("column 2 has no name"));
    assert!(wrong(b"a,b,A\n").contains("twice"));
    assert!(wrong(b"a,\xff\n").contains("--encoding"));
    assert!(wrong(b"a\0,\0b\0\n").contains("utf-16le"));
    let wide = vec!["c"; MOST_COLUMNS + 1].join(",");
    assert!(wrong(wide.as_bytes()).contains("more than 10000 cells"));
}

#[test]
fn delimiters() {
    assert_eq!(delimiter_of(b"a;b\n1,5;2"), b';');
    assert_eq!(delimiter_of(b"\"a;b\",c"), b',');
    assert_eq!(delimiter_of(b"a\tb\n"), b'\t');
    assert_eq!(delimiter_of(b"a\n1,2"), b',');
    assert_eq!(rows(b"a;b\n1,5;2\n"), [(2, "1,5|2".into())]);
}
