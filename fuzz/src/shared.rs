// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! What the fuzz targets share: a small kernel, held in memory.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex};

use barepoint::inventory::state::State;
use barepoint::rules::zones::Zones;
use barepoint::source::Tree;
use barepoint::source::disk::DiskTree;
use barepoint::source::overlay::OverlayTree;

/// Files by their path; a `None` is a file that is not there.
pub type Files = BTreeMap<String, Option<Arc<[u8]>>>;

/// The files of a small kernel, which are fixtures of the tests.
pub static KERNEL: LazyLock<Files> = LazyLock::new(|| {
    let folder = Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../tests/fixtures/kernel-7.3"
    ));
    let tree = DiskTree::open(folder).expect("the fixture");
    let files = Mutex::new(Files::new());
    let keep = |path: &str, text: &[u8]| {
        let mut files = files.lock().expect("no other thread died");
        files.insert(path.to_owned(), Some(Arc::from(text)));
    };
    tree.visit(&|_| true, &keep).expect("the fixture");
    files.into_inner().expect("no other thread died")
});

/// The small kernel as it stands, read once.
pub static STATE: LazyLock<State> =
    LazyLock::new(|| State::of(&kernel_with(Files::new())).expect("the fixture"));

/// The built-in zones.
pub static ZONES: LazyLock<Zones> = LazyLock::new(|| Zones::built_in().expect("rules/zones.toml"));

/// An empty folder of this process, for readers that want files. It is made in TMPDIR,
/// which fuzz/run sets and removes.
pub static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = std::env::temp_dir().join(format!("barepoint-fuzz-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
});

/// The small kernel with `files` over it.
pub fn kernel_with(files: Files) -> OverlayTree<'static> {
    let mut all = KERNEL.clone();
    all.extend(files);
    OverlayTree::of(None, all)
}

/// Splits an input at its first NUL; all of it comes first if it has none.
pub fn halves(input: &[u8]) -> (&[u8], &[u8]) {
    let at = input.iter().position(|&byte| byte == 0);
    at.map_or((input, &[]), |at| (&input[..at], &input[at + 1..]))
}

/// An input as text, up to what is none.
pub fn text_of(input: &[u8]) -> &str {
    let whole = |error: std::str::Utf8Error| &input[..error.valid_up_to()];
    let text = str::from_utf8(input).or_else(|error| str::from_utf8(whole(error)));
    text.unwrap_or_default()
}
