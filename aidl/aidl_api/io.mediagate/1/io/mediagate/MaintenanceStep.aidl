// A snapshot of the interface: do not edit it. What was frozen stays as it is; what clients need beyond it is added to
// the interface itself, and frozen as its next version (docs/ANDROID.md).

package io.mediagate;
@VintfStability
parcelable MaintenanceStep {
  String name;
  io.mediagate.MaintenancePhase phase = io.mediagate.MaintenancePhase.WAITING;
  long done;
  long failed;
  String said;
}
