//! Where the mount is another than a bare directory, and why.

/// The question, what the mount says, and the reason.
type Difference = (&'static str, &'static str, &'static str);

/// What is expected.
pub(crate) fn at(passthrough: bool) -> impl Iterator<Item = &'static Difference> {
    ALLOWED.iter().chain(PASSED_THROUGH.iter().filter(move |_| passthrough))
}

/// Names are those that FAT can hold, as Android has it, so that files can be copied to a card.
const NAMES: &str = "not a name that FAT can hold";
const NO_LINKS: &str = "shared storage has no links";
const NO_MODES: &str = "modes and owners are the volume's: chmod and chown do nothing, as on Android";
const NO_EXEC: &str = "the mount is noexec";
const NO_XATTRS: &str = "the attributes are the service's own; apps have none";
const DIRECTORIES: &str =
    "setting attributes asks for the right to write, and a directory is nobody's to write";

const ALLOWED: &[Difference] = &[
    (
        "open: a file without a name",
        "EOPNOTSUPP",
        "the service has no TMPFILE: a file that gets its name later has no type",
    ),
    ("open: a file, without access times", "EPERM", "who opens it does not own it as the kernel sees it"),
    ("names: no UTF-8: created", "EPERM", NAMES),
    ("names: no UTF-8: read", "ENOENT", NAMES),
    ("names: a colon: created", "EPERM", NAMES),
    ("names: a colon: read", "ENOENT", NAMES),
    ("names: a star: created", "EPERM", NAMES),
    ("names: a star: read", "ENOENT", NAMES),
    ("names: a question mark: created", "EPERM", NAMES),
    ("names: a question mark: read", "ENOENT", NAMES),
    ("names: a quote: created", "EPERM", NAMES),
    ("names: a quote: read", "ENOENT", NAMES),
    ("names: a backslash: created", "EPERM", NAMES),
    ("names: a backslash: read", "ENOENT", NAMES),
    ("names: a bar: created", "EPERM", NAMES),
    ("names: a bar: read", "ENOENT", NAMES),
    ("names: angle brackets: created", "EPERM", NAMES),
    ("names: angle brackets: read", "ENOENT", NAMES),
    ("names: a line feed: created", "EPERM", NAMES),
    ("names: a line feed: read", "ENOENT", NAMES),
    ("names: a delete: created", "EPERM", NAMES),
    ("names: a delete: read", "ENOENT", NAMES),
    ("names: all in all", "31", NAMES),
    ("blocks: taken out", "EOPNOTSUPP", "FUSE has no such fallocate (fs/fuse/file.c, fuse_file_fallocate)"),
    ("blocks: put in", "EOPNOTSUPP", "FUSE has no such fallocate (fs/fuse/file.c, fuse_file_fallocate)"),
    (
        "rename flags: exchanged",
        "EINVAL",
        "two files would be renamed at once, each into a place of the other's type",
    ),
    ("links: hard", "EPERM", NO_LINKS),
    ("links: symbolic", "EPERM", NO_LINKS),
    ("links: links of the file", "1", NO_LINKS),
    ("links: pipe", "EPERM", "there are files and directories only"),
    ("links: device", "EPERM", "there are files and directories only"),
    ("links: socket", "EPERM", "there are files and directories only"),
    ("modes: of a new file", "\"100664\"", NO_MODES),
    ("modes: of a new directory", "\"40775\"", NO_MODES),
    ("modes: what it is then", "\"100664\"", NO_MODES),
    ("modes: run", "EACCES", NO_EXEC),
    ("modes: run for real", "EACCES", NO_EXEC),
    ("modes: what that made of it", "\"100664\"", NO_MODES),
    ("modes: opened all the same", "ok", NO_MODES),
    ("modes: a directory's", "EACCES", DIRECTORIES),
    ("modes: a file in it", "ok", NO_MODES),
    ("modes: given to root", "ok", NO_MODES),
    ("modes: whose it is", "0", NO_MODES),
    ("times: a directory's", "EACCES", DIRECTORIES),
    ("what changes times: chmod: content, status", "(false, false)", NO_MODES),
    (
        "attributes: when it was born",
        "false",
        "FUSE tells no birth times without STATX, which the library does not have",
    ),
    ("attributes: an attribute set", "EOPNOTSUPP", NO_XATTRS),
    ("attributes: an attribute read", "EOPNOTSUPP", NO_XATTRS),
    ("attributes: an attribute that there is not", "EOPNOTSUPP", NO_XATTRS),
    ("attributes: attributes listed", "EOPNOTSUPP", NO_XATTRS),
    ("attributes: flags of ext4", "ENOTTY", "no ioctl reaches the lower file system"),
];

/// The kernel opens the backing file as the app opened its file, and what `fcntl(F_SETFL)` takes away later stays
/// (fs/backing-file.c, `backing_file_write_iter`: flags are added to those of the backing file).
const PASSED_THROUGH: &[Difference] = &[(
    "read and write: the file then",
    "[48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 97, 98, 99, 100, 101, 102]",
    "a passed through file that was opened to append appends for ever",
)];
