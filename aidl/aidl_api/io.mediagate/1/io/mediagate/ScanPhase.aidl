// A snapshot of the interface: do not edit it. What was frozen stays as it is; what clients need beyond it is added to
// the interface itself, and frozen as its next version (docs/ANDROID.md).

package io.mediagate;
@Backing(type="int")
@VintfStability
enum ScanPhase {
  WAITING = 0,
  WALKING = 1,
  READING = 2,
  DONE = 3,
  CANCELLED = 4,
  FAILED = 5,
}
