// A snapshot of the interface: do not edit it. What was frozen stays as it is; what clients need beyond it is added to
// the interface itself, and frozen as its next version (docs/ANDROID.md).

package io.mediagate;
@Backing(type="int")
@VintfStability
enum Operation {
  LOOKUP = 0,
  READ = 1,
  WRITE = 2,
  CREATE = 3,
  MKDIR = 4,
  RMDIR = 5,
  LIST = 6,
  DELETE = 7,
  RENAME = 8,
}
