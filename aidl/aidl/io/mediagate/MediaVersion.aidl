package io.mediagate;

/** Which index, and how far it is. */
@VintfStability
parcelable MediaVersion {
    /** The generation of the last change. */
    long generation;
    /** The number of this index: generations of one with another number mean nothing. */
    long index;
}
