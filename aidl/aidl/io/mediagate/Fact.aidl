package io.mediagate;

/** One fact that a decision looked at. */
@VintfStability
parcelable Fact {
    /** Its name. */
    String name;
    /** Its value. */
    String value;
}
