package io.mediagate;

/** One counter or gauge. */
@VintfStability
parcelable Stat {
    /** Stable dotted name, as "fuse.requests.lookup". */
    String name;
    /** Its value. */
    long value;
    /** True for a gauge (a level), false for a counter (only grows). */
    boolean gauge;
}
