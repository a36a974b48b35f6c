package io.mediagate;

import io.mediagate.ChangeKind;

/** A change that an observer is told of. */
@VintfStability
parcelable ChangeNotice {
    /** What happened. */
    ChangeKind kind = ChangeKind.MANY;
    /** Name of the volume; empty: any. */
    String volume;
    /** Id of the file; 0 for MANY. */
    long id;
    /** The generation of the change. */
    long generation;
}
