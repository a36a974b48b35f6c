//! Whether the kernel can put a lower directory behind a FUSE inode, so that no bind is needed: FUSE-BPF, which Android's kernels
//! have from 14 on and upstream has not. ADR 12 has the plan for it; this is the probe.

use std::path::Path;

/// Says "supported" where the kernel has it (MediaProvider's FuseDaemon.cpp, IsFuseBpfEnabled).
const FEATURE: &str = "/sys/fs/fuse/features/fuse_bpf";
/// The filter program that Android's bpfloader pins (FuseDaemon.cpp).
const PROGRAM: &str = "/sys/fs/bpf/prog_fuseMedia_fuse_media";

/// What there is of inode-level backing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InodeBacking {
    /// The kernel has none.
    Absent,
    /// The kernel has it, and nobody has loaded a program for it.
    Kernel,
    /// The kernel has it, and a program is there.
    Ready,
}

/// Looks what there is.
pub fn inode_backing() -> InodeBacking {
    look(Path::new(FEATURE), Path::new(PROGRAM))
}

fn look(feature: &Path, program: &Path) -> InodeBacking {
    let said = std::fs::read(feature).unwrap_or_default();
    match said.trim_ascii() == b"supported" {
        false => InodeBacking::Absent,
        true if program.exists() => InodeBacking::Ready,
        true => InodeBacking::Kernel,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_says_is_what_there_is() {
        let dir = tempfile::tempdir().unwrap();
        let (feature, program) = (dir.path().join("fuse_bpf"), dir.path().join("prog"));
        assert_eq!(look(&feature, &program), InodeBacking::Absent);
        std::fs::write(&feature, "unsupported\n").unwrap();
        assert_eq!(look(&feature, &program), InodeBacking::Absent);
        std::fs::write(&feature, "supported\n").unwrap();
        assert_eq!(look(&feature, &program), InodeBacking::Kernel);
        std::fs::write(&program, "").unwrap();
        assert_eq!(look(&feature, &program), InodeBacking::Ready);
    }
}
