// A snapshot of the interface: do not edit it. What was frozen stays as it is; what clients need beyond it is added to
// the interface itself, and frozen as its next version (docs/ANDROID.md).

package io.mediagate;
@Backing(type="int")
@VintfStability
enum VolumeState {
  UNMOUNTED = 0,
  CHECKING = 1,
  MOUNTED = 2,
  MOUNTED_READ_ONLY = 3,
  FORMATTING = 4,
  EJECTING = 5,
  UNMOUNTABLE = 6,
  REMOVED = 7,
  BAD_REMOVAL = 8,
}
