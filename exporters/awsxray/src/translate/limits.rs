//! What is left out of a document that is too long, step by step.

use std::ops::AddAssign;

/// How much of each kind a document may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limits {
    /// The longest value of metadata, in bytes; `None` leaves out all metadata.
    pub(super) metadata: Option<usize>,
    /// Frames of an exception.
    pub(super) frames: usize,
    /// Bytes of an SQL query.
    pub(super) query: usize,
    /// Exceptions.
    pub(super) exceptions: usize,
    /// Links.
    pub(super) links: usize,
    /// Bytes of any other text.
    pub(super) text: usize,
    /// Annotations.
    pub(super) annotations: usize,
}

/// Frames of an exception. X-Ray's SDKs send no more; the others are counted in `truncated`.
const FRAMES_MAX: usize = 50;

const WHOLE: Limits = Limits {
    metadata: Some(usize::MAX),
    frames: FRAMES_MAX,
    query: usize::MAX,
    exceptions: usize::MAX,
    links: usize::MAX,
    text: usize::MAX,
    annotations: usize::MAX,
};
const NO_METADATA: Limits = Limits { metadata: None, ..WHOLE };
const NO_FRAMES: Limits = Limits { frames: 0, ..NO_METADATA };
const SHORT_QUERY: Limits = Limits { query: 256, ..NO_FRAMES };

/// The whole document, and what is tried after it, in this order. The README states it.
pub(super) const LEVELS: [Limits; 11] = [
    WHOLE,
    Limits { metadata: Some(8 << 10), ..WHOLE },
    Limits { metadata: Some(1 << 10), ..WHOLE },
    Limits { metadata: Some(128), ..WHOLE },
    NO_METADATA,
    Limits { frames: 10, ..NO_METADATA },
    NO_FRAMES,
    Limits { query: 4 << 10, ..NO_FRAMES },
    SHORT_QUERY,
    Limits { exceptions: 10, links: 20, text: 1 << 10, ..SHORT_QUERY },
    Limits { exceptions: 1, links: 0, text: 256, annotations: 20, ..SHORT_QUERY },
];

/// Documents that something was left out of, by what that is. A document counts once for each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trimmed {
    /// Metadata.
    pub metadata: usize,
    /// Stack frames.
    pub frames: usize,
    /// The end of an SQL query.
    pub query: usize,
    /// Anything else: exceptions, links, annotations, the ends of long texts.
    pub other: usize,
    /// Annotations whose keys or values were longer than X-Ray takes.
    pub annotations: usize,
}

impl Trimmed {
    /// Whether nothing was left out.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

impl AddAssign for Trimmed {
    fn add_assign(&mut self, other: Self) {
        self.metadata += usize::from(other.metadata > 0);
        self.frames += usize::from(other.frames > 0);
        self.query += usize::from(other.query > 0);
        self.other += usize::from(other.other > 0);
        self.annotations += usize::from(other.annotations > 0);
    }
}
