// A snapshot of the interface: do not edit it. What was frozen stays as it is; what clients need beyond it is added to
// the interface itself, and frozen as its next version (docs/ANDROID.md).

package io.mediagate;
@VintfStability
parcelable MediaQuery {
  @nullable String volume;
  int user = -1;
  @nullable byte[] directory;
  boolean tree = false;
  long bucket = 0;
  io.mediagate.MediaType[] types;
  @nullable String mimePrefix;
  @nullable String owner;
  io.mediagate.MediaMatch favorite = io.mediagate.MediaMatch.INCLUDE;
  io.mediagate.MediaMatch pending = io.mediagate.MediaMatch.EXCLUDE;
  io.mediagate.MediaMatch trashed = io.mediagate.MediaMatch.EXCLUDE;
  @nullable long[] ids;
  long changedSince = 0;
  @nullable io.mediagate.MediaRange takenMillis;
  @nullable io.mediagate.MediaRange modifiedNanos;
  @nullable byte[] nameContains;
  @nullable String album;
  @nullable String artist;
  @nullable String genre;
  io.mediagate.MediaSort sort = io.mediagate.MediaSort.NAME;
  boolean descending = false;
  int limit = 0;
  @nullable byte[] after;
  boolean details = false;
}
