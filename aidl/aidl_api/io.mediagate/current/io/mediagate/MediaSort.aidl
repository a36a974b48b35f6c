// A snapshot of the interface: do not edit it. What was frozen stays as it is; what clients need beyond it is added to
// the interface itself, and frozen as its next version (docs/ANDROID.md).

package io.mediagate;
@Backing(type="int")
@VintfStability
enum MediaSort {
  NAME = 0,
  TAKEN = 1,
  MODIFIED = 2,
  ADDED = 3,
  SIZE = 4,
  TITLE = 5,
  GENERATION = 6,
}
