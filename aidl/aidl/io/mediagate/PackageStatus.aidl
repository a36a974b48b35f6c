package io.mediagate;

import io.mediagate.PackageSpec;

/** A package that the service knows. */
@VintfStability
parcelable PackageStatus {
    /** The package. */
    PackageSpec spec;
    /** Its uids, one for each of its users. */
    int[] uids;
    /** Where it is known from: "config", "packages.list" or "runtime". */
    String source;
}
