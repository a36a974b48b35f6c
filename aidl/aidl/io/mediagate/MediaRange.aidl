package io.mediagate;

/** From one number up to, and without, another one. */
@VintfStability
parcelable MediaRange {
    /** The first. */
    long first;
    /** Behind the last. */
    long end;
}
