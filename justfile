# The commands of this repository; `just` alone tests and lints.

default: test lint

# Everything `cargo test` runs.
test:
    cargo test

# Format, lints of both feature sets, documentation.
lint:
    cargo fmt --check
    cargo clippy --all-targets -- -D warnings
    cargo clippy --lib --no-default-features --features extension -- -D warnings
    RUSTDOCFLAGS='-D warnings' cargo doc --no-deps

# kill -9 at 50 random moments of a night and of imports.
crash:
    NIGHTCLERK_KILLS=50 cargo test --release --test crash -- --nocapture

# The full counts of what `cargo test` does a few times of: kills, pairs of daemons, faults, full disks (root), thirty years of nights.
# Faults and clocks need debug assertions, so this is the test profile. About two hours.
soak:
    NIGHTCLERK_KILLS=1000 NIGHTCLERK_DISKS=20 cargo test --test soak -- --include-ignored --nocapture
    NIGHTCLERK_PAIRS=100 NIGHTCLERK_FAULTS=20 cargo test --test serve
    NIGHTCLERK_KILLS=300 cargo test --test crash -- --nocapture
    NIGHTCLERK_KILLS=20 cargo test --test networks -- --nocapture
    cargo test --lib -- night::plan --include-ignored
    NIGHTCLERK_TORN=20 cargo test --lib -- search::tests_torn::a_torn_file --nocapture
    NIGHTCLERK_HOSTILE=10000 NIGHTCLERK_DAMAGED=1000 NIGHTCLERK_FORKS=200 NIGHTCLERK_FUZZ=1000000 cargo test --test extension

# The SQLite extension: target/release/nightclerk.so, .dylib or .dll (docs/extension.md).
extension:
    cargo rustc --release --lib --crate-type cdylib --no-default-features --features extension -- -C strip=symbols
    cd "${CARGO_TARGET_DIR:-target}/release" && for made in libnightclerk.so libnightclerk.dylib; do if [ -e $made ]; then cp $made ${made#lib}; fi; done

# Hostile bytes for what the extension reads: `just fuzz query` or `just fuzz model` (needs nightly Rust and cargo-fuzz).
fuzz target:
    cargo +nightly fuzz run --fuzz-dir tests/fuzz {{target}}

# The file of a demo, opened in SQLite 3.37.
old-sqlite: extension
    cargo run --release -- demo target/old-sqlite-demo --scale 0.1 --quiet
    NIGHTCLERK_FILE="$PWD/target/old-sqlite-demo/shop.db" NIGHTCLERK_EXTENSION="$PWD/target/release/nightclerk.so" cargo test --manifest-path tests/old-sqlite/Cargo.toml

# One comparison: publish, daemon, import, retail or another. See benches/README.md.
bench name:
    benches/run {{name}}

# What continuous integration runs.
ci:
    .ci/run
