package io.mediagate;

/** A file to make. */
@VintfStability
parcelable InsertSpec {
    /** Name of the volume; null: the first emulated one. */
    @nullable String volume;
    /** Whose tree on an emulated volume; -1: the caller's. */
    int user = -1;
    /** Its directory from the user's root, made if missing; null: the one for its type. */
    @nullable byte[] relativePath;
    /** Its name; null: the time. */
    @nullable byte[] displayName;
    /** Its MIME type; null: that of its name. */
    @nullable String mimeType;
    /** Not published yet: hidden from others until update publishes it, and removed after seven days. */
    boolean pending = false;
}
