package io.mediagate;

/** One fact that a decision looked at. */
parcelable Fact {
    /** Its name. */
    String name;
    /** Its value. */
    String value;
}
