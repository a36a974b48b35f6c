//! Where in a file it says where the file was made.
//!
//! [`find`] looks at the bytes, never at the name, and trusts none of them: every number is checked against the file's
//! length and against [`Input`]'s budget, so that a crafted file costs at most that much time and memory. This room
//! stands alone: it knows nothing else of the service, so that a fuzzer can be built from it.
//!
//! What is found is hidden by zeros in place: the file keeps its length and its structure, a decoder still opens it.
//! A block that cannot be understood but whose bounds are known is hidden as a whole. Where not even the bounds are
//! known, the answer is [`Unreadable`], and the file is refused to whom it would have to be redacted for.

mod bmff;
mod exif;
mod finding;
mod input;
mod iptc;
mod matroska;
mod trailer;
mod words;
mod xmp;

pub use finding::{Fill, Finding, Format, Report, What};
pub use input::{Input, ReadAt, Section, Unreadable};

/// Everything in the file that tells a location.
///
/// # Errors
///
/// When the file cannot be read, or is so made that hiding only parts of it cannot be trusted.
pub fn find(file: &dyn ReadAt) -> Result<Report, Unreadable> {
    let input = Input::new(file);
    let mut findings = Vec::new();
    let format = embedded(&input, input.whole(), &mut findings)?;
    Ok(Report { format, findings })
}

/// Everything in a file that is `section` of another one (or all of it), whatever it is.
fn embedded(input: &Input<'_>, section: Section, out: &mut Vec<Finding>) -> Result<Format, Unreadable> {
    let head = input.read(Section { end: section.end.min(section.start.saturating_add(16)), ..section })?;
    let Some(_deeper) = input.deeper() else {
        // Nobody nests files so deep but to hide something.
        if !section.is_empty() {
            out.push(Finding::zeroed(section, What::Whole { block: "files in files, too many" }));
        }
        return Ok(Format::Other);
    };
    if bmff::is_one(&head) {
        bmff::find(input, section, out)
    } else if matroska::is_one(&head) {
        matroska::find(input, section, out).map(|()| Format::Matroska)
    } else {
        Ok(Format::Other)
    }
}
