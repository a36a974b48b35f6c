package io.mediagate;

/** A file that was made. */
@VintfStability
parcelable Inserted {
    /** Its id. */
    long id;
    /** Absolute path. */
    byte[] path;
    /** Its name, which may not be the one that was asked for. */
    byte[] displayName;
    /** Its MIME type. */
    String mimeType;
}
