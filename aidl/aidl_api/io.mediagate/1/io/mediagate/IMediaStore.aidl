// A snapshot of the interface: do not edit it. What was frozen stays as it is; what clients need beyond it is added to
// the interface itself, and frozen as its next version (docs/ANDROID.md).

package io.mediagate;
@VintfStability
interface IMediaStore {
  io.mediagate.MediaPage query(in io.mediagate.MediaQuery query);
  long count(in io.mediagate.MediaQuery query);
  io.mediagate.MediaGroup[] groups(in io.mediagate.MediaQuery query, in io.mediagate.MediaGrouping by, in int skip);
  io.mediagate.Inserted insert(in io.mediagate.InsertSpec spec);
  io.mediagate.MediaResult[] update(in long[] ids, in io.mediagate.MediaChanges changes);
  io.mediagate.MediaResult[] remove(in long[] ids);
  ParcelFileDescriptor openFile(in long id, in String mode);
  io.mediagate.MediaPage playlist(in long id, in @nullable byte[] after);
  io.mediagate.MediaHistory changes(in io.mediagate.MediaQuery query, in long since);
  io.mediagate.MediaVersion version();
  void registerObserver(in io.mediagate.IMediaObserver observer, in io.mediagate.MediaQuery filter);
  void unregisterObserver(in io.mediagate.IMediaObserver observer);
  io.mediagate.ChangeBatch awaitChanges(in io.mediagate.IMediaObserver observer, in int millis);
}
