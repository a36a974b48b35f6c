package io.mediagate;

/** Which of two kinds of files is wanted. */
@VintfStability
@Backing(type="int")
enum MediaMatch {
    /** Not those. */
    EXCLUDE = 0,
    /** Those, too. */
    INCLUDE = 1,
    /** Only those. */
    ONLY = 2,
}
