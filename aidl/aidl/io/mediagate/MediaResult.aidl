package io.mediagate;

/** What became of one of many files. The numbers that ErrorCode has mean the same. */
@VintfStability
@Backing(type="int")
enum MediaResult {
    /** Done. */
    DONE = 0,
    /** There is no such file for the caller. */
    NOT_FOUND = 1,
    /** No free name was found. */
    ALREADY_EXISTS = 2,
    /** That makes no sense of this file. */
    INVALID = 3,
    /** The service tried and failed. */
    FAILED = 4,
    /** The caller may not do that to this file, or may not have it there. */
    DENIED = 5,
}
