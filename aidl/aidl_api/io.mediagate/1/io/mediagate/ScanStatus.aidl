// A snapshot of the interface: do not edit it. What was frozen stays as it is; what clients need beyond it is added to
// the interface itself, and frozen as its next version (docs/ANDROID.md).

package io.mediagate;
@VintfStability
parcelable ScanStatus {
  String volume;
  long ticket;
  io.mediagate.ScanPhase phase = io.mediagate.ScanPhase.WAITING;
  byte[] path;
  byte[] at;
  long directories;
  long files;
  long added;
  long changed;
  long removed;
  long failed;
  long read;
  long incomplete;
  long millis;
  long walkMillis;
  boolean emptied;
}
