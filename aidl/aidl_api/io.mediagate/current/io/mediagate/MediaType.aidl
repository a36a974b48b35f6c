// A snapshot of the interface: do not edit it. What was frozen stays as it is; what clients need beyond it is added to
// the interface itself, and frozen as its next version (docs/ANDROID.md).

package io.mediagate;
@Backing(type="int")
@VintfStability
enum MediaType {
  NONE = 0,
  IMAGE = 1,
  AUDIO = 2,
  VIDEO = 3,
  PLAYLIST = 4,
  SUBTITLE = 5,
  DOCUMENT = 6,
}
