// A snapshot of the interface: do not edit it. What was frozen stays as it is; what clients need beyond it is added to
// the interface itself, and frozen as its next version (docs/ANDROID.md).

package io.mediagate;
@VintfStability
parcelable MediaItem {
  long id;
  String volume;
  int user;
  byte[] path;
  byte[] relativePath;
  byte[] displayName;
  String mimeType;
  io.mediagate.MediaType mediaType = io.mediagate.MediaType.NONE;
  long size;
  long modifiedNanos;
  long added;
  long takenMillis;
  @nullable String title;
  @nullable String owner;
  boolean favorite;
  boolean pending;
  boolean trashed;
  long expires;
  long bucket;
  long generationAdded;
  long generationModified;
  @nullable io.mediagate.MediaDetails details;
}
