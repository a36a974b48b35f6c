// A snapshot of the interface: do not edit it. What was frozen stays as it is; what clients need beyond it is added to
// the interface itself, and frozen as its next version (docs/ANDROID.md).

package io.mediagate;
@Backing(type="int")
@VintfStability
enum ErrorCode {
  NOT_FOUND = 1,
  ALREADY_EXISTS = 2,
  INVALID = 3,
  FAILED = 4,
}
