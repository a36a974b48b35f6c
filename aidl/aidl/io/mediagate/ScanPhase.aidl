package io.mediagate;

/** Where a scan is. */
@VintfStability
@Backing(type="int")
enum ScanPhase {
    /** Another one of the volume comes first. */
    WAITING = 0,
    /** The tree is walked, and the index mended. */
    WALKING = 1,
    /** The facts of media files are read. */
    READING = 2,
    /** All was looked at. */
    DONE = 3,
    /** Somebody cancelled it. */
    CANCELLED = 4,
    /** The index could not be read or written. */
    FAILED = 5,
}
