// A snapshot of the interface: do not edit it. What was frozen stays as it is; what clients need beyond it is added to
// the interface itself, and frozen as its next version (docs/ANDROID.md).

package io.mediagate;
@VintfStability
parcelable MediaChanges {
  @nullable byte[] displayName;
  @nullable byte[] relativePath;
  io.mediagate.TriState pending = io.mediagate.TriState.UNSPECIFIED;
  io.mediagate.TriState trashed = io.mediagate.TriState.UNSPECIFIED;
  io.mediagate.TriState favorite = io.mediagate.TriState.UNSPECIFIED;
}
