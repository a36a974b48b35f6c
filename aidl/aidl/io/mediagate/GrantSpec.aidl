package io.mediagate;

import io.mediagate.GrantKind;

/** A grant on one file that an app is to get. */
@VintfStability
parcelable GrantSpec {
    /** The package. */
    String packageName;
    /** The user in which the package gets it. */
    int user;
    /** Absolute path of a file on a mounted volume. */
    byte[] path;
    /** What it allows. */
    GrantKind kind = GrantKind.READ;
    /** When it ends, in seconds since 1970; 0: not by itself. */
    long expires = 0;
}
