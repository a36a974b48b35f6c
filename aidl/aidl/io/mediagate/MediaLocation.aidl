package io.mediagate;

/** Where a picture or video was made. */
@VintfStability
parcelable MediaLocation {
    /** Degrees north, times ten million. */
    int latitudeE7;
    /** Degrees east, times ten million. */
    int longitudeE7;
}
