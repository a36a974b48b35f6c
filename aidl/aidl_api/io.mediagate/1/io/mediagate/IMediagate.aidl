// A snapshot of the interface: do not edit it. What was frozen stays as it is; what clients need beyond it is added to
// the interface itself, and frozen as its next version (docs/ANDROID.md).

package io.mediagate;
@VintfStability
interface IMediagate {
  io.mediagate.VolumeStatus[] listVolumes();
  void attachVolume(in io.mediagate.VolumeSpec volume);
  void detachVolume(in String name);
  io.mediagate.PackageStatus[] listPackages(in String after);
  void installPackage(in io.mediagate.PackageSpec spec);
  void removePackage(in String packageName);
  void setPermission(in String packageName, in String permission, in boolean granted);
  void setAppOp(in String packageName, in String op, in io.mediagate.AppOpMode mode);
  void addGrant(in io.mediagate.GrantSpec grant);
  io.mediagate.GrantStatus[] listGrants(in @nullable String packageName, in long after);
  int removeGrant(in String packageName, in int user, in @nullable byte[] path);
  io.mediagate.ScanStatus[] scan(in @nullable byte[] path);
  io.mediagate.ScanStatus[] scanProgress();
  void cancelScan(in String volume, in long ticket);
  io.mediagate.Explanation explain(in io.mediagate.ExplainRequest request);
  io.mediagate.IMediaStore mediaStore();
  io.mediagate.Stat[] stats();
  String dumpState();
  byte[] redactedPath(in byte[] path, in @nullable String readerPackage, in int readerUser);
  void clearPackage(in String packageName);
  io.mediagate.MaintenanceStatus maintain();
  @nullable io.mediagate.MaintenanceStatus maintenanceProgress();
  void cancelMaintenance();
  void startSession(in String id, in ParcelFileDescriptor device, in byte[] upperPath, in byte[] lowerPath);
  void endSession(in String id);
  void volumeStateChanged(in String id, in io.mediagate.VolumeState state);
  long freeCache();
  void bindPrivateStorage(in ParcelFileDescriptor mountNamespace, in int uid);
}
