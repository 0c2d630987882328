//! Parquet files, whole, cut and bent.

use super::*;

#[test]
fn parquet_brings_its_types() {
    use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, FloatType, Int32Type, Int64Type};
    use parquet::file::properties::WriterProperties;
    use parquet::file::writer::SerializedFileWriter;
    use parquet::schema::parser::parse_message_type;
    use std::sync::Arc;
    let schema = parse_message_type(
        "message m {
            required binary product_id (UTF8);
            required binary title (UTF8);
            optional double price;
            optional float cost;
            required int64 created_at (TIMESTAMP(MILLIS,false));
            required int64 updated_at (TIMESTAMP(NANOS,true));
            required int32 in_stock (DECIMAL(9,2));
         }",
    )
    .unwrap();
    let mut file = Vec::new();
    let properties = Arc::new(WriterProperties::builder().build());
    let mut writer = SerializedFileWriter::new(&mut file, Arc::new(schema), properties).unwrap();
    for group in 0..2i64 {
        let mut rows = writer.next_row_group().unwrap();
        let texts = |a: &str, b: &str| [ByteArray::from(a), ByteArray::from(b)];
        macro_rules! column {
            ($type:ty, $values:expr, $levels:expr) => {{
                let mut column = rows.next_column().unwrap().unwrap();
                column
                    .typed::<$type>()
                    .write_batch($values, $levels, None)
                    .unwrap();
                column.close().unwrap();
            }};
        }
        column!(
            ByteArrayType,
            &texts(&format!("A{group}"), &format!("B{group}")),
            None
        );
        column!(ByteArrayType, &texts("Kettle", "Pot"), None);
        column!(DoubleType, &[f64::NAN], Some(&[0, 1]));
        column!(FloatType, &[2.55f32, 3.0], Some(&[1, 1]));
        column!(Int64Type, &[1_323_435_000_000, 1_323_435_000_999], None);
        column!(
            Int64Type,
            &[1_323_435_000_000_000_000, 1_323_435_000_000_000_001],
            None
        );
        column!(Int32Type, &[1250, 300], None);
        rows.close().unwrap();
    }
    writer.close().unwrap();
    let bench = bench();
    bench.take("settings", "s.csv", "name,value\ntime_zone,Europe/Berlin\n");
    let report = bench.take("products", "p.parquet", &file);
    assert_eq!(counts(&report), (2, 0, 0, 2));
    let want = "Kettle|NULL|2.55|12.5|1323431400|1323435000";
    assert_eq!(
        bench.rows(
            "SELECT product_id, title, price, cost, in_stock, created_at, updated_at FROM products ORDER BY 1"
        ),
        [format!("A0|{want}"), format!("A1|{want}")]
    );
    assert_eq!(
        bench.rows("SELECT line, reason FROM rejected_rows ORDER BY line"),
        [
            "2|price: not a finite number (NaN)",
            "4|price: not a finite number (NaN)"
        ]
    );
    assert_eq!(
        counts(&bench.take("products", "p.gz", zip(&file))),
        (0, 0, 2, 2),
        "gzip is copied out first"
    );
    let report = bench
        .with(
            "products",
            "p.parquet",
            &file,
            &select("SELECT product_id, cost FROM input WHERE cost > 1"),
        )
        .unwrap();
    assert_eq!(report.staged, Some(4));
    for end in (0..file.len()).step_by(97) {
        bench
            .with("products", "cut.parquet", &file[..end], &STRICT)
            .unwrap_err();
    }
    let mut random = fastrand::Rng::with_seed(3);
    for _ in 0..300 {
        let mut bent = file.clone();
        for _ in 0..3 {
            let at = random.usize(..bent.len());
            bent[at] ^= 1 << random.u32(..8);
        }
        // An error or a report, never a panic that gets out.
        let _ = bench.with("products", "bent.parquet", &bent, &STRICT);
    }
}
