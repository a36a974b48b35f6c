package io.mediagate;

import io.mediagate.MediaDetails;
import io.mediagate.MediaType;

/** A file of the index. */
@VintfStability
parcelable MediaItem {
    /** Its id: the same for as long as the file is there, wherever it is moved on its volume. */
    long id;
    /** Name of its volume. */
    String volume;
    /** The user whose tree it is in; 0 on public volumes. */
    int user;
    /** Absolute path. */
    byte[] path;
    /** Its directory from the user's root; empty: the root. */
    byte[] relativePath;
    /** Its name; without what says that it is pending or in the trash. */
    byte[] displayName;
    /** MIME type. */
    String mimeType;
    /** Media type. */
    MediaType mediaType = MediaType.NONE;
    /** Size in bytes. */
    long size;
    /** Modification, in nanoseconds since 1970. */
    long modifiedNanos;
    /** When it was first indexed, in seconds since 1970. */
    long added;
    /** When it was taken, in milliseconds since 1970; 0: the file does not tell. */
    long takenMillis;
    /** Title, if the file tells. */
    @nullable String title;
    /** The package that owns it, if it has one and the caller may know: its own packages, or any for administrators. */
    @nullable String owner;
    /** A favourite. */
    boolean favorite;
    /** Not published yet. */
    boolean pending;
    /** In the trash. */
    boolean trashed;
    /** When it will be removed, in seconds since 1970; 0: not by itself. */
    long expires;
    /** Id of its directory. */
    long bucket;
    /** The generation that added it. */
    long generationAdded;
    /** The generation that changed it last. */
    long generationModified;
    /** What it says of itself, if that was asked for. */
    @nullable MediaDetails details;
}
