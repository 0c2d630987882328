//! A copy of a file somebody writes meanwhile, and what a damaged or foreign backup is told.

use super::*;
use crate::store::Value;

fn shop(dir: &Path) -> Shop {
    let shop = Shop::create(&dir.join("shop.db")).unwrap();
    let row = |i: i64| vec![Value::from(format!("p{i}")), Value::from("x".repeat(500))];
    shop.fill("products", &["product_id", "title"], (0..5000).map(row))
        .unwrap();
    shop
}

fn quiet(_: u64, _: u64) -> Result<()> {
    Ok(())
}

#[test]
fn a_copy_is_of_one_instant_though_somebody_writes() {
    let dir = tempfile::tempdir().unwrap();
    let shop = shop(dir.path());
    let writer = shop.again().unwrap();
    let (backup, mut steps) = (dir.path().join("copy.db"), 0);
    let manifest = shop
        .back_up(&backup, &mut |_, _| {
            steps += 1;
            let row = vec![Value::from(format!("late{steps}"))];
            writer.fill("products", &["product_id"], [row].into_iter())?;
            Ok(())
        })
        .unwrap();
    assert_eq!(
        manifest.rows["products"], 5000,
        "the snapshot is older than the writes"
    );
    assert_eq!(read_manifest(&backup).unwrap(), Some(manifest.clone()));
    let target = dir.path().join("new.db");
    assert_eq!(restore(&backup, &target, &mut quiet).unwrap(), Some(manifest));
    let restored = Shop::open(&target).unwrap();
    assert_eq!(restored.count_documents().unwrap(), 5000);
    assert_ne!(
        restored.instance().unwrap(),
        shop.instance().unwrap(),
        "an index of the old file must not pass for one of the new"
    );
    assert!(!beside(&backup, ".part").exists() && !beside(&target, ".part").exists());
}

#[test]
fn a_copy_that_is_stopped_leaves_nothing_and_the_next_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let shop = shop(dir.path());
    let backup = dir.path().join("copy.db");
    std::fs::write(beside(&backup, ".part"), "of a copy that was killed").unwrap();
    let stopped = shop.back_up(&backup, &mut |_, _| Err(Error::Refused("enough".into())));
    assert!(matches!(stopped, Err(Error::Refused(why)) if why == "enough"));
    for suffix in ["", ".part", ".manifest.json"] {
        assert!(!beside(&backup, suffix).exists(), "{suffix}");
    }
    shop.back_up(&backup, &mut quiet).unwrap();
    assert!(matches!(
        shop.back_up(&backup, &mut quiet),
        Err(Error::Exists { .. })
    ));
}

#[test]
fn what_is_no_sound_backup_is_not_restored() {
    let dir = tempfile::tempdir().unwrap();
    let shop = shop(dir.path());
    let (backup, target) = (dir.path().join("copy.db"), dir.path().join("new.db"));
    shop.back_up(&backup, &mut quiet).unwrap();
    let whole = std::fs::read(&backup).unwrap();
    let refused = |bytes: &[u8]| {
        std::fs::write(&backup, bytes).unwrap();
        let error = restore(&backup, &target, &mut quiet).unwrap_err();
        assert!(!target.exists() && !beside(&target, ".part").exists());
        error
    };
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    assert!(matches!(refused(&flipped), Error::Corrupt { detail, .. } if detail.contains("checksum")));
    assert!(matches!(
        refused(&whole[..whole.len() / 2]),
        Error::Corrupt { .. }
    ));
    // Without its manifest a backup must at least hang together.
    std::fs::remove_file(manifest_path(&backup)).unwrap();
    let half = refused(&whole[..whole.len() / 2]);
    assert!(matches!(half, Error::Corrupt { .. } | Error::Sqlite(_)), "{half}");
    assert!(matches!(refused(b""), Error::NotOurs { .. }));
    assert!(matches!(refused(&[7; 4096]), Error::NotOurs { .. }));
    std::fs::write(&backup, &whole).unwrap();
    std::fs::write(beside(&target, "-wal"), "of the file that was moved away").unwrap();
    assert!(matches!(
        restore(&backup, &target, &mut quiet),
        Err(Error::Exists { .. })
    ));
    std::fs::remove_file(beside(&target, "-wal")).unwrap();
    assert_eq!(restore(&backup, &target, &mut quiet).unwrap(), None);
    assert!(matches!(
        restore(&backup, &target, &mut quiet),
        Err(Error::Exists { .. })
    ));
}
