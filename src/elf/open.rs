// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! A vmlinux, which is large: only what is needed of it is read.

use super::Binary;
use super::bounded::{Kept, MOST};
use super::image::Image;
use super::tables;
use anyhow::{Context, bail};
use object::read::ReadRef;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

/// How `struct setup_header` of an x86 bzImage starts (Documentation/arch/x86/boot.rst).
const BOOT_HEADER: (usize, &[u8]) = (0x202, b"HdrS");

/// Reads the tables of the vmlinux at `path`.
///
/// # Errors
/// It cannot be read, is no vmlinux, or one without symbols; the message says what to
/// take instead.
pub fn vmlinux(path: &Path) -> anyhow::Result<Binary> {
    let of = || path.display().to_string();
    let metadata = path.metadata().with_context(of)?;
    if !metadata.is_file() {
        bail!("{} is no file: give an uncompressed vmlinux", of());
    }
    vmlinux_in(File::open(path).with_context(of)?).with_context(of)
}

/// As [`vmlinux`], of anything that can be read at any place.
///
/// # Errors
/// As [`vmlinux`].
pub fn vmlinux_in(mut file: impl Read + Seek) -> anyhow::Result<Binary> {
    let mut start = Vec::new();
    file.by_ref().take(0x400).read_to_end(&mut start)?;
    refuse_other_images(&start)?;
    file.seek(SeekFrom::Start(0))?;
    let kept = Kept::new(file);
    let read = of_vmlinux(&kept);
    if kept.is_full() {
        bail!(
            "its headers, symbols and tables have more than {} MB",
            MOST >> 20
        );
    }
    read
}

fn of_vmlinux<'data, R: ReadRef<'data>>(data: R) -> anyhow::Result<Binary> {
    let image = Image::open(data)?;
    if image.is_module() {
        bail!("not linked: if it is a module, give it or its folder with --modules");
    }
    let binary = tables::read(image).context(
        "not a vmlinux with symbols (take the one of a build's top folder, or of a \
         distribution's debug package, such as Debian's linux-image-*-dbg)",
    )?;
    if binary.tracepoints.is_empty() {
        bail!(
            "no table of tracepoints: it is no vmlinux, lacks the symbols of one, or was \
             built without CONFIG_TRACEPOINTS"
        );
    }
    Ok(binary)
}

/// What boots is packed, and has no symbols even when unpacked.
fn refuse_other_images(start: &[u8]) -> anyhow::Result<()> {
    const INSTEAD: &str = "take the vmlinux that it was made from, of the build's top folder \
        or of a debug package (what scripts/extract-vmlinux gets out of it has no symbols)";
    let (at, magic) = BOOT_HEADER;
    let is_boot_image = start.get(at..).is_some_and(|rest| rest.starts_with(magic));
    // An EFI stub, as all architectures have it, is a PE file.
    if is_boot_image || start.starts_with(b"MZ") {
        bail!("a boot image (vmlinuz, bzImage), not a vmlinux: {INSTEAD}");
    }
    let packed: [&[u8]; 4] = [b"\x1f\x8b", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd", b"BZh"];
    if packed.iter().any(|magic| start.starts_with(magic)) {
        bail!("compressed: unpack it first; if it is a boot image, {INSTEAD}");
    }
    if !start.starts_with(b"\x7fELF") {
        bail!("not an ELF file: give an uncompressed vmlinux");
    }
    Ok(())
}
