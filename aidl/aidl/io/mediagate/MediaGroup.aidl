package io.mediagate;

/** Files that have something in common. */
@VintfStability
parcelable MediaGroup {
    /** Id of the directory; 0 for other groups. */
    long bucket;
    /** The album, artist or genre; the newest file's directory from its user's root. */
    byte[] name;
    /** How many files. */
    long count;
    /** When the newest was taken (or where it does not tell, modified), in milliseconds since 1970. */
    long newestMillis;
    /** Id of the newest. */
    long newest;
}
