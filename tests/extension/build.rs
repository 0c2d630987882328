//! The library, built as users build it, and the shop that it is asked about.

use crate::common::Place;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The library under the name SQLite looks for; built with the debug assertions that its test switches need, or whatever
/// `NIGHTCLERK_EXTENSION` names.
pub fn library() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        if let Some(path) = std::env::var_os("NIGHTCLERK_EXTENSION") {
            return path.into();
        }
        // .../target/tmp: the build goes beside it, into the folder of everything else.
        let tmp = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let target = tmp.parent().unwrap();
        let built = Command::new(env!("CARGO"))
            .args(["rustc", "--quiet", "--lib", "--crate-type", "cdylib"])
            .args(["--no-default-features", "--features", "extension,daemon-parts"])
            .arg("--target-dir")
            .arg(target)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .unwrap();
        assert!(
            built.status.success(),
            "{}",
            String::from_utf8_lossy(&built.stderr)
        );
        let (from, to) = if cfg!(target_os = "macos") {
            ("libnightclerk.dylib", "nightclerk.dylib")
        } else if cfg!(windows) {
            ("nightclerk.dll", "nightclerk.dll")
        } else {
            ("libnightclerk.so", "nightclerk.so")
        };
        let folder = tmp.join("extension");
        std::fs::create_dir_all(&folder).unwrap();
        let library = folder.join(to);
        std::fs::copy(target.join("debug").join(from), &library).unwrap();
        library
    })
}

/// A demo shop after its first night; for looking at only.
pub fn shop() -> &'static Path {
    static MADE: OnceLock<PathBuf> = OnceLock::new();
    MADE.get_or_init(|| {
        if let Some(path) = std::env::var_os("NIGHTCLERK_EXTENSION_SHOP") {
            return path.into();
        }
        let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join("extension-shop");
        let _ = std::fs::remove_dir_all(&kept);
        copy_folder(Place::demo("0.1").dir.path(), &kept);
        kept.join("shop.db")
    })
}

/// A copy of it, to be written to.
pub fn copy() -> Place {
    let place = Place::new();
    copy_folder(shop().parent().unwrap(), place.dir.path());
    place
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
