package io.mediagate;

import io.mediagate.ScanPhase;

/** A scan, as of now. */
@VintfStability
parcelable ScanStatus {
    /** Name of the volume. */
    String volume;
    /** The scan's number on its volume; a later one has a larger one. */
    long ticket;
    /** Where it is. */
    ScanPhase phase = ScanPhase.WAITING;
    /** What is scanned: an absolute path. */
    byte[] path;
    /** The directory that was looked at last: an absolute path. */
    byte[] at;
    /** Directories looked at. */
    long directories;
    /** Files looked at. */
    long files;
    /** Files that the index did not know. */
    long added;
    /** Files of which the index said something that was not so. */
    long changed;
    /** Files that the index knew and that are gone. */
    long removed;
    /** Directories and files that could not be looked at. */
    long failed;
    /** Files whose facts were read. */
    long read;
    /** Of these, files that could not be understood as a whole. */
    long incomplete;
    /** How long it has taken, in milliseconds. */
    long millis;
    /** How much of that the walk took. */
    long walkMillis;
    /** There is no file although the index knows some, and so its rows were left alone. */
    boolean emptied;
}
