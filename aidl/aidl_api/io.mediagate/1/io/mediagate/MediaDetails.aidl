// A snapshot of the interface: do not edit it. What was frozen stays as it is; what clients need beyond it is added to
// the interface itself, and frozen as its next version (docs/ANDROID.md).

package io.mediagate;
@VintfStability
parcelable MediaDetails {
  int width;
  int height;
  int orientation;
  long durationMillis;
  int bitrate;
  @nullable String artist;
  @nullable String album;
  @nullable String albumArtist;
  @nullable String composer;
  @nullable String genre;
  int track;
  int disc;
  int tracks;
  int year;
  boolean compilation;
  int sampleRate;
  int bitsPerSample;
  boolean albumArt;
  @nullable String codec;
  int frameRateMilli;
  int colorStandard;
  int colorTransfer;
  int colorRange;
  @nullable String exposureTime;
  @nullable String fNumber;
  int iso;
  int sceneCaptureType;
  @nullable String description;
  int specialFormat;
  @nullable String xmpDocument;
  @nullable String xmpInstance;
  @nullable String xmpOriginal;
  @nullable io.mediagate.MediaLocation location;
}
