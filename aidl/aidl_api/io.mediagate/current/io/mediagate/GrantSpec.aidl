// A snapshot of the interface: do not edit it. What was frozen stays as it is; what clients need beyond it is added to
// the interface itself, and frozen as its next version (docs/ANDROID.md).

package io.mediagate;
@VintfStability
parcelable GrantSpec {
  String packageName;
  int user;
  byte[] path;
  io.mediagate.GrantKind kind = io.mediagate.GrantKind.READ;
  long expires = 0;
}
