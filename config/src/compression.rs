//! Compression of bodies: the codec and its level.

use std::fmt;

use confmap::{Decode, Mismatch, Node, Section};

/// A codec, by the names upstream gives it (`config/configcompression`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Compression {
    /// The body as it is: `none`, or empty text.
    #[default]
    None,
    /// gzip, RFC 1952.
    Gzip,
    /// zlib, RFC 1950.
    Zlib,
    /// What HTTP calls `deflate`, which is zlib, too.
    Deflate,
    /// One block of Snappy in HTTP; the framed format in gRPC.
    Snappy,
    /// The framed format of Snappy, `x-snappy-framed`.
    SnappyFramed,
    /// Zstandard, RFC 8878.
    Zstd,
    /// The LZ4 frame format.
    Lz4,
}

/// How hard a codec tries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CompressionLevel {
    /// The one this program has measured to serve telemetry best: 1 for gzip, zlib and zstd.
    #[default]
    Measured,
    /// The level the user set, in the codec's own scale.
    Set(i32),
}

impl Compression {
    /// All codecs a server may accept, in the order of upstream's default.
    pub const ALL: [Self; 8] = [
        Self::None,
        Self::Gzip,
        Self::Zstd,
        Self::Zlib,
        Self::Snappy,
        Self::Deflate,
        Self::Lz4,
        Self::SnappyFramed,
    ];

    /// The name in settings and in `Content-Encoding`; empty for no compression.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Gzip => "gzip",
            Self::Zlib => "zlib",
            Self::Deflate => "deflate",
            Self::Snappy => "snappy",
            Self::SnappyFramed => "x-snappy-framed",
            Self::Zstd => "zstd",
            Self::Lz4 => "lz4",
        }
    }

    /// The codec of a name in any case, as header values are; `identity` is no compression.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        if name.eq_ignore_ascii_case("identity") {
            return Some(Self::None);
        }
        Self::ALL.into_iter().find(|codec| codec.name().eq_ignore_ascii_case(name))
    }

    /// Whether this changes the body at all.
    #[must_use]
    pub fn is_compressed(self) -> bool {
        self != Self::None
    }

    /// Reads `compression` and, for HTTP clients, `compression_params`.
    #[must_use]
    pub fn read(section: &mut Section<'_>, default: Self) -> (Self, CompressionLevel) {
        let codec = section.get("compression").unwrap_or(default);
        let mut params = section.section("compression_params");
        let level: i32 = params.get("level").unwrap_or(0);
        if codec.is_compressed() && !codec.takes_level(level) {
            let name = codec.name();
            let message =
                format!("unsupported parameters {{Level:{level}}} for compression type {name:?}");
            params.error("level", message);
        }
        if !codec.is_compressed() && level != 0 {
            params.warn("level", "is accepted and has no effect: compression is off");
        }
        if level == -2 && codec.takes_level(level) {
            params.warn("level", "Huffman-only coding is not available here, level 1 is used");
        }
        params.finish();
        let level =
            if level == 0 { CompressionLevel::Measured } else { CompressionLevel::Set(level) };
        (codec, level)
    }

    /// Whether the codec has this level, by the rules of upstream's `ValidateParams`.
    fn takes_level(self, level: i32) -> bool {
        match self {
            Self::Gzip | Self::Zlib | Self::Deflate => (-2..=9).contains(&level),
            Self::Zstd => true,
            _ => level == 0,
        }
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_compressed() { self.name() } else { "none" })
    }
}

impl Decode for Compression {
    fn decode(node: &Node) -> Result<Self, Mismatch> {
        let text = String::decode(node)?;
        let codec = match text.as_str() {
            "none" => Some(Self::None),
            name => Self::ALL.into_iter().find(|codec| codec.name() == name),
        };
        codec.ok_or_else(|| {
            let names = "gzip, zlib, deflate, snappy, x-snappy-framed, zstd, lz4, none";
            Mismatch::new(format!("unsupported compression type {text:?}"))
                .help(format!("valid values: {names}"))
        })
    }

    fn decode_null(_: &Node) -> Option<Self> {
        Some(Self::None)
    }
}

#[cfg(test)]
mod tests {
    use confmap::{Diagnostics, Node, Section};

    use super::{Compression, CompressionLevel};

    fn read(yaml: &str) -> (Compression, CompressionLevel, String) {
        let node = Node::from_yaml("file:c.yaml", yaml).expect("valid YAML");
        let diagnostics = Diagnostics::new();
        let mut section = Section::new(Some(&node), "exporters::otlphttp", &diagnostics);
        let (codec, level) = Compression::read(&mut section, Compression::Gzip);
        section.finish();
        (codec, level, diagnostics.to_string())
    }

    #[test]
    fn every_codec_is_found_by_its_name_and_none_is_no_codec() {
        for codec in Compression::ALL {
            assert_eq!(Compression::from_name(codec.name()), Some(codec));
        }
        assert_eq!(Compression::from_name("GZIP"), Some(Compression::Gzip));
        assert_eq!(Compression::from_name("br"), None);
        assert_eq!(read("compression: none").0, Compression::None);
        assert_eq!(read("compression: ''").0, Compression::None);
        assert_eq!(read("{}").0, Compression::Gzip);
    }

    #[test]
    fn level_is_checked_against_the_codec() {
        let level = |yaml| read(yaml).1;
        assert_eq!(level("compression_params: {level: 6}"), CompressionLevel::Set(6));
        assert_eq!(level("compression_params: {level: 0}"), CompressionLevel::Measured);
        let report = |yaml| read(yaml).2;
        assert_eq!(report("{compression: zstd, compression_params: {level: 11}}"), "");
        assert!(report("compression_params: {level: 10}").contains("{Level:10}"));
        assert!(report("{compression: snappy, compression_params: {level: 1}}").contains("snappy"));
        assert!(
            report("{compression: none, compression_params: {level: 1}}").contains("is off"),
            "a level of nothing is not a silent one"
        );
        assert!(report("compression_params: {level: -2}").contains("level 1 is used"));
        assert!(report("compression: brotli").contains("unsupported compression type"));
    }
}
