//! What is inside a binary: whether it links anything, and how much of it each crate makes up.

use std::collections::BTreeMap;

use object::elf::{DT_NEEDED, FileHeader64, PT_DYNAMIC, PT_INTERP};
use object::read::elf::{Dyn, FileHeader, ProgramHeader};
use object::{Endianness, Object, ObjectSection, ObjectSymbol, SymbolKind};

use crate::binary::Arch;
use crate::failure::{About, Failure};

/// Crates that come with the compiler; symbols of theirs are counted as `std`.
const STANDARD: [&str; 7] =
    ["alloc", "compiler_builtins", "core", "gimli", "addr2line", "rustc_demangle", "std"];

/// Makes sure that a binary is for the architecture.
///
/// # Errors
/// What it is instead.
pub(crate) fn require_arch(bytes: &[u8], arch: Arch) -> Result<(), Failure> {
    let header = FileHeader64::<Endianness>::parse(bytes).about("not an ELF file of 64 bits")?;
    let endian = header.endian().about("ELF")?;
    let machine = header.e_machine(endian);
    let expected = match arch {
        Arch::Amd64 => object::elf::EM_X86_64,
        Arch::Arm64 => object::elf::EM_AARCH64,
    };
    if machine != expected {
        return Err(Failure::new(format!("it is for another architecture than {arch}")));
    }
    Ok(())
}

/// Makes sure that a binary is for the architecture and needs nothing at run time but the kernel.
///
/// # Errors
/// What it is or needs instead.
pub(crate) fn require_static(bytes: &[u8], arch: Arch) -> Result<(), Failure> {
    require_arch(bytes, arch)?;
    let header = FileHeader64::<Endianness>::parse(bytes).about("not an ELF file of 64 bits")?;
    let endian = header.endian().about("ELF")?;
    for segment in header.program_headers(endian, bytes).about("its segments")? {
        if segment.p_type(endian) == PT_INTERP {
            return Err(Failure::new("it asks for a dynamic linker (PT_INTERP)"));
        }
        if segment.p_type(endian) != PT_DYNAMIC {
            continue;
        }
        let entries = segment.dynamic(endian, bytes).about("its dynamic section")?;
        let needed = |entry: &<FileHeader64<Endianness> as FileHeader>::Dyn| {
            entry.d_tag(endian) == DT_NEEDED
        };
        if entries.into_iter().flatten().any(needed) {
            return Err(Failure::new("it links a shared library (DT_NEEDED)"));
        }
    }
    Ok(())
}

/// Bytes of code and constants by crate, the largest first. C code is under `C`, and `(tables)` is what no symbol covers: text, unwinding
/// tables, relocations.
///
/// # Errors
/// A file that is not an ELF file, or has no symbols left.
pub(crate) fn sizes(bytes: &[u8]) -> Result<Vec<(String, u64)>, Failure> {
    let file = object::File::parse(bytes).about("not an ELF file")?;
    let mut sizes: BTreeMap<String, u64> = BTreeMap::new();
    let mut covered = 0;
    let mut seen = std::collections::BTreeSet::new();
    for symbol in file.symbols() {
        let counts = matches!(symbol.kind(), SymbolKind::Text | SymbolKind::Data);
        // Functions that turned out to be the same have several names for one address.
        if !counts || symbol.size() == 0 || !seen.insert(symbol.address()) {
            continue;
        }
        let is_loaded = symbol
            .section_index()
            .and_then(|index| file.section_by_index(index).ok())
            .is_some_and(|section| section.kind() != object::SectionKind::UninitializedData);
        if is_loaded {
            *sizes.entry(owner(symbol.name().unwrap_or_default())).or_default() += symbol.size();
            covered += symbol.size();
        }
    }
    if covered == 0 {
        return Err(Failure::new("it has no symbols to count by"));
    }
    let loaded: u64 = file
        .sections()
        .filter(|section| {
            let object::SectionFlags::Elf { sh_flags, .. } = section.flags() else { return false };
            let is_loaded = sh_flags.0 & object::elf::SHF_ALLOC.0 != 0;
            is_loaded && !matches!(section.kind(), object::SectionKind::UninitializedData)
        })
        .map(|section| section.size())
        .sum();
    sizes.insert("(tables)".to_owned(), loaded.saturating_sub(covered));
    let mut sizes: Vec<(String, u64)> = sizes.into_iter().collect();
    sizes.sort_by(|(name, size), (other_name, other)| other.cmp(size).then(name.cmp(other_name)));
    Ok(sizes)
}

/// The crate that a symbol comes from: the first one that its name mentions.
fn owner(symbol: &str) -> String {
    let Ok(demangled) = rustc_demangle::try_demangle(symbol) else { return "C".to_owned() };
    let path = demangled.to_string();
    // In the current scheme a crate's name is followed by its hash: `<exporter_zipkin[1f2e…]::Model as core[…]::…>`.
    let name = match path.split_once('[') {
        Some((before, rest)) if rest.split(']').next().is_some_and(is_hash) => {
            before.rsplit(|c: char| !is_word(c)).next().unwrap_or_default()
        }
        // In the older scheme, of which std may be, it is the first word.
        _ => path
            .split(|c: char| !is_word(c))
            .find(|word| !matches!(*word, "" | "mut" | "const" | "dyn" | "as" | "_"))
            .unwrap_or_default(),
    };
    if STANDARD.contains(&name) { "std".to_owned() } else { name.to_owned() }
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

fn is_hash(text: &str) -> bool {
    !text.is_empty() && text.len() <= 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_symbol_belongs_to_the_first_crate_that_it_names() {
        for (symbol, expected) in [
            ("_RNvNtCs1234_7mycrate3foo3bar", "mycrate"),
            ("_RNvXCs1234_7mycrateNtB2_3FooNtNtCs5678_4core3fmt5Debug3fmt", "mycrate"),
            ("_RINvNtCs5678_4core3ptr13drop_in_placeNtCs1234_7mycrate3FooE", "std"),
            ("_ZN3std2io5stdio6_print17h0123456789abcdefE", "std"),
            ("ZSTD_compress", "C"),
        ] {
            assert_eq!(owner(symbol), expected, "{symbol}");
        }
    }

    #[test]
    fn this_test_binary_is_not_static_and_mostly_known() {
        let own = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let arch: Arch = std::env::consts::ARCH.parse().unwrap();
        assert!(require_static(&own, arch).unwrap_err().to_string().contains("PT_INTERP"));
        let other = Arch::ALL.into_iter().find(|one| *one != arch).unwrap();
        assert!(require_static(&own, other).unwrap_err().to_string().contains("architecture"));
        assert!(require_static(b"#!/bin/sh", arch).is_err());
        let sizes = sizes(&own).unwrap();
        let size = |name: &str| sizes.iter().find(|(found, _)| found == name).unwrap().1;
        assert!(size("std") > 10_000 && size("(tables)") > 10_000, "{sizes:?}");
    }
}
