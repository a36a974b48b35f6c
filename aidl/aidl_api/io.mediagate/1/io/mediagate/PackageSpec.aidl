// A snapshot of the interface: do not edit it. What was frozen stays as it is; what clients need beyond it is added to
// the interface itself, and frozen as its next version (docs/ANDROID.md).

package io.mediagate;
@VintfStability
parcelable PackageSpec {
  String name;
  int appId;
  int[] users;
  int targetSdk = 34;
  String[] permissions;
  io.mediagate.AppOp[] appOps;
  boolean requestLegacyStorage = false;
  io.mediagate.TriState requestRawAccess = io.mediagate.TriState.UNSPECIFIED;
  boolean sharedUid = false;
  boolean instant = false;
}
