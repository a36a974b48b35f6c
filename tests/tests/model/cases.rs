//! Sequences that are carried out in each run: as the machine shrank them, or as somebody wrote them.

use crate::op::{Content, Kind, Op, Who};
use crate::reference::Mistake;

use Content::Text;
use Op::*;
use Who::*;

/// What deviated once: what each is about, and its steps.
pub(crate) const ALL: &[(&str, &[Op])] = &[(
    "a directory that is renamed to .nomedia hides nothing",
    &[Create(Camera, "DCIM/d/a.jpg", Text(0, 0)), Rename(Camera, "Download/d", "DCIM/d/.nomedia", false)],
)];

/// A sequence for each way in which the model can be wrong, of which the service has to be the one who is right.
pub(crate) const TELL_TALE: &[(Mistake, &[Op])] = &[
    (
        Mistake::RenameLosesOwner,
        &[Create(Camera, "DCIM/a.jpg", Text(0, 1)), Rename(Camera, "DCIM/a.jpg", "DCIM/.h.jpg", false)],
    ),
    (
        Mistake::GrantsStayWithNames,
        &[
            Create(Camera, "Download/t.txt", Text(0, 1)),
            Give(Notes, "Download/t.txt", Kind::Read),
            Unlink(Camera, "Download/t.txt"),
            Create(Camera, "Download/t.txt", Text(0, 1)),
        ],
    ),
    (
        Mistake::NomediaStays,
        &[
            Mkdir(Camera, "DCIM/d"),
            Create(Camera, "DCIM/d/a.jpg", Text(0, 1)),
            Create(Files, "DCIM/d/.nomedia", Text(0, 0)),
            Read(Gallery, "DCIM/d/a.jpg"),
            Unlink(Files, "DCIM/d/.nomedia"),
        ],
    ),
    (
        Mistake::WriteTruncates,
        &[Create(Camera, "Download/t.txt", Text(0, 40)), Write(Camera, "Download/t.txt", 1, 1, 10)],
    ),
    (
        Mistake::PackagesComeBackToTheirFiles,
        &[Create(Camera, "Download/t.txt", Text(0, 40)), Remove(Camera), Install(Camera)],
    ),
];
