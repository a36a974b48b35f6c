package io.mediagate;

import io.mediagate.GrantKind;

/** A grant on one file that an app has. */
@VintfStability
parcelable GrantStatus {
    /** Its number; a newer grant has a larger one. */
    long id;
    /** The package. */
    String packageName;
    /** The user in which the package has it. */
    int user;
    /** What it allows. */
    GrantKind kind = GrantKind.READ;
    /** Name of the volume that the file is on. */
    String volume;
    /** Where the file is now: its absolute path, or its path below the root of a volume that is not attached. */
    byte[] path;
    /** When it ends, in seconds since 1970; 0: not by itself. */
    long expires;
    /** When it was given, in seconds since 1970. */
    long created;
}
