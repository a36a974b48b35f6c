// A snapshot of the interface: do not edit it. What was frozen stays as it is; what clients need beyond it is added to
// the interface itself, and frozen as its next version (docs/ANDROID.md).

package io.mediagate;
@VintfStability
parcelable VolumeSpec {
  String name;
  io.mediagate.VolumeKind kind = io.mediagate.VolumeKind.EMULATED;
  byte[] lower;
  byte[] mount;
  int[] users;
  @nullable String owner;
  boolean passthrough = true;
  int cacheSeconds = -2;
  String watch = "auto";
}
